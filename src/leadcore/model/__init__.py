"""The model document: frozen types, loading, checks, JSON Schema."""

from leadcore.model.document import Model

__all__ = ["Model"]
