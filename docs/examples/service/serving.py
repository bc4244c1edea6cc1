"""Starts the service in a process of its own, on a free port of this machine: for its tests and for load.py."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

HERE = Path(__file__).parent


class Served:
    """A service under way; the port stays when the process is ended and begun again."""

    def __init__(self, store: Path, **settings: str) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._settings = {"LEADCORE_STORE": f"sqlite:///{store}", "LEADCORE_TICK": "0", **settings}
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.start()

    def start(self) -> None:
        """Begin; requests wait in the socket until the service takes them."""
        port = self._socket.fileno()
        environment = {**os.environ, **self._settings}
        self._process = subprocess.Popen([sys.executable, __file__, str(port)], pass_fds=[port], env=environment)
        try:
            httpx.get(f"{self.url}/openapi.json", timeout=30).raise_for_status()
        except Exception:
            self._process.kill()
            self._process.wait()
            raise

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask or force the process to end; its exit code."""
        self._process.send_signal(how)
        try:
            return self._process.wait(timeout=30)
        finally:
            self._process.kill()

    def close(self) -> None:
        """End the process, if it has not ended, and give the port back."""
        if self._process.poll() is None:
            self.end()
        self._socket.close()


@contextmanager
def serving(store: Path, **settings: str) -> Iterator[Served]:
    """A service for as long as the block runs."""
    served = Served(store, **settings)
    try:
        yield served
    finally:
        served.close()


def serve(port: int) -> None:
    """Serve on a socket that was handed over. (``uvicorn --fd`` takes it for no TCP socket, and lets packets wait.)"""
    import uvicorn
    from app import create_app

    config = uvicorn.Config(create_app(), access_log=False, log_level="warning")
    uvicorn.Server(config).run([socket.socket(fileno=port)])


if __name__ == "__main__":
    serve(int(sys.argv[1]))
