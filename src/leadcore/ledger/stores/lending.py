"""Connections lent to one thread at a time, and to no process but the one that opened them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakSet

from leadcore.errors import StateError


class Lendable(Protocol):
    """A connection."""

    usable: bool
    """Nothing went wrong that a new one would not suffer from."""

    def close(self) -> None:
        """Let go of it; no error."""
        ...


C = TypeVar("C", bound=Lendable)


class Lending(Generic[C]):
    """Open connections that nobody uses at the moment.

    A forked child gets none of its parent's: it opens its own, and never closes theirs.

    Args:
        connect: Opens one.
        kept: How many wait open.
        most: How many are open at a time; who comes later waits.
    """

    def __init__(self, connect: Callable[[], C], kept: int = 4, most: int = 32) -> None:
        self._connect, self._kept, self._most = connect, kept, most
        self._left_behind: list[C] = []
        self._idle: list[C] = []
        self._closed = False
        self._anew()
        _ALL.add(self)

    def _anew(self) -> None:
        self._lock, self._turns = threading.Lock(), threading.Semaphore(self._most)

    @contextmanager
    def lent(self) -> Iterator[C]:
        """A connection for the length of a block.

        Raises:
            StateError: All was closed.
        """
        home = os.getpid()
        with self._turns:
            with self._lock:
                if self._closed:
                    raise StateError("this ledger is closed: open it again")
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                connection = self._connect()
            try:
                yield connection
            finally:
                if os.getpid() == home:
                    self._back(connection)

    def _back(self, connection: C) -> None:
        with self._lock:
            if connection.usable and not self._closed and len(self._idle) < self._kept:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close those that wait; those in use are closed when they come back."""
        with self._lock:
            idle, self._idle, self._closed = self._idle, [], True
        for connection in idle:
            connection.close()

    def forked(self) -> None:
        """Begin anew in a child."""
        self._anew()
        self._left_behind, self._idle = [*self._left_behind, *self._idle], []


_ALL: WeakSet[Lending[Any]] = WeakSet()


def _forked() -> None:
    for lending in list(_ALL):
        lending.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
