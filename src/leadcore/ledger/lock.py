"""The lock of a ledger, which a forked process never finds held."""

from __future__ import annotations

import os
import threading
import weakref
from contextlib import AbstractContextManager

_locks: weakref.WeakSet[AbstractContextManager[bool]] = weakref.WeakSet()
_adding = threading.Lock()
_held: list[AbstractContextManager[bool]] = []


def fork_safe_lock() -> AbstractContextManager[bool]:
    """A lock for one ledger; a thread that has it may take it again.

    A fork waits until no ledger is in the middle of something, so the child finds each whole and free.
    """
    lock = threading.RLock()
    with _adding:
        _locks.add(lock)
    return lock


def _hold() -> None:
    _adding.acquire()
    for lock in list(_locks):
        lock.__enter__()
        _held.append(lock)


def _release() -> None:
    while _held:
        _held.pop().__exit__(None, None, None)
    _adding.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_hold, after_in_parent=_release, after_in_child=_release)
