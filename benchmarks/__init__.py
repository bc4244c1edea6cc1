"""What leadcore costs, and what it is worth: seeded workloads, timed parts, real data."""
