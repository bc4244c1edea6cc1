"""Ledgers kept in a database: SQLite with Python alone, PostgreSQL with an extra."""
