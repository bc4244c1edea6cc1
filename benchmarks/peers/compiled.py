"""numba's compiler where it is installed, else nothing in its place: `make test` runs the same lines, on few events."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["COMPILED", "njit", "uint32", "uint64"]

Function = TypeVar("Function", bound=Callable[..., Any])


def _as_it_is(**_: Any) -> Callable[[Function], Function]:
    """A decorator that leaves the function alone."""
    return lambda function: function


njit, uint32, uint64, COMPILED = _as_it_is, int, int, False
if not TYPE_CHECKING:
    try:
        from numba import njit, uint32, uint64
    except ImportError:
        pass
    else:
        COMPILED = True
