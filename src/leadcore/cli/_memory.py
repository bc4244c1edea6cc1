"""How much memory this process held."""

from __future__ import annotations

import resource
import sys


def peak_memory() -> int:
    """Bytes this process held at most."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
