"""How much memory a job may take: what a user says, or what the machine and its control group leave."""

from __future__ import annotations

import os
import re
from pathlib import Path

from leadcore.errors import LeadcoreError

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_SHARE = 0.7
"""Of the machine's memory that a job takes unless it is told otherwise: others live there too."""
_CGROUPS = Path("/sys/fs/cgroup")
LEAST = 200 * 10**6
"""Bytes with which a job can be run at all: Python, numpy and the engine take some 100 MB before the first row."""


def memory_of(given: str | int | None) -> int:
    """Bytes of ``"2GB"``, ``"1.5 GiB"``, ``"800MB"`` or a number; by default most of what the machine has.

    Raises:
        LeadcoreError: It is none of these, or too little for any job.

    Example:
        >>> memory_of("1.5GB")
        1500000000
    """
    if given is None:
        return max(int(machine_memory() * _SHARE), LEAST)
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([kmgt]i?)?b?\s*", str(given), re.IGNORECASE)
    if found is None or isinstance(given, bool):
        raise LeadcoreError(f"memory is a size such as 2GB or 800MB, not {given!r}")
    size = int(float(found[1]) * _UNITS[(found[2] or "").lower()])
    if size < LEAST:
        raise LeadcoreError(f"memory={given!r}: a job needs {LEAST // 10**6} MB at least")
    return size


def machine_memory() -> int:
    """Bytes this process can have: the machine's, or less where its control group says so."""
    sizes = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    try:
        groups = [line.split(":", 2)[2] for line in Path("/proc/self/cgroup").read_text().splitlines()]
    except (OSError, IndexError):
        groups = []
    for group in ["", *(group.strip("/") for group in groups)]:
        for name in (f"{group}/memory.max", f"memory/{group}/memory.limit_in_bytes"):
            try:
                said = (_CGROUPS / name.lstrip("/")).read_text().strip()
            except OSError:
                continue
            if said.isdecimal():
                sizes.append(int(said))
    return min(sizes)


def resident_memory() -> int:
    """Bytes this process has in memory at the moment; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0
