"""A PostgreSQL server of our own, for as long as the tests run; skipped, and counted, where there is none installed."""

from __future__ import annotations

import contextlib
import os
import pwd
import random
import shutil
import signal
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path

NEEDED = ("initdb", "pg_ctl", "postgres")


def installed() -> bool:
    """Whether there are PostgreSQL's programs and psycopg."""
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return False
    return all(shutil.which(name) for name in NEEDED)


class Server:
    """A server in a temporary folder, reached by a socket in it; never run as root."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lc-pg-", dir="/tmp"))
        self._prefix: list[str] = []
        self._numbers = count()
        if os.geteuid() == 0:
            user = pwd.getpwnam("nobody")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._prefix = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        self.data = self.folder / "data"
        self._run("initdb", "-D", str(self.data), "-U", "leadcore", "-A", "trust", "-E", "UTF8", "--no-locale")
        self.start()

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"postgresql:///postgres?host={self.folder}&user=leadcore"

    def database(self) -> str:
        """The URL of a new database."""
        import psycopg

        found = f"test_{next(self._numbers)}"
        self.wait()
        with psycopg.connect(self.url, autocommit=True) as raw:
            raw.execute(f"CREATE DATABASE {found}")
        return self.url.replace("/postgres?", f"/{found}?")

    def wait(self) -> None:
        """Wait until it answers again."""
        import psycopg

        for _ in range(600):
            try:
                psycopg.connect(self.url).close()
                return
            except psycopg.OperationalError:
                time.sleep(0.05)
        raise RuntimeError("the server did not come back")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-k {self.folder} -c listen_addresses= -c max_connections=60 -c shared_buffers=32MB"
        self._run("pg_ctl", "-D", str(self.data), "-o", options, "-l", str(self.folder / "log"), "-w", "start")

    def restart(self) -> None:
        """Stop it as a power cut does but for the disk, and start it again."""
        self._run("pg_ctl", "-D", str(self.data), "-m", "immediate", "-w", "stop")
        self.start()

    def processes(self) -> list[int]:
        """Processes that serve clients."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
            except OSError:
                continue
            if words.startswith(b"postgres: leadcore ") and self._is_ours(entry):
                found.append(int(entry.name))
        return found

    def _is_ours(self, entry: Path) -> bool:
        try:
            return (entry / "cwd").resolve() == self.data.resolve()
        except OSError:
            return False

    def kill(self, dice: random.Random) -> str | None:
        """Kill a process that serves a client, if there is one; the server then ends all others and begins anew."""
        if found := self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(dice.choice(found), signal.SIGKILL)
        return "kill -9 of a backend" if found else None

    def terminate(self, dice: random.Random) -> str | None:
        """Ask a process that serves a client to end, if there is one."""
        if found := self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(dice.choice(found), signal.SIGTERM)  # what pg_terminate_backend does
        return "pg_terminate_backend" if found else None

    def stop(self) -> None:
        """Stop it and remove all of it."""
        subprocess.run(
            [*self._prefix, "pg_ctl", "-D", str(self.data), "-m", "immediate", "-w", "stop"],
            capture_output=True,
            cwd="/",
        )
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, *words: str) -> None:
        done = subprocess.run([*self._prefix, *words], capture_output=True, text=True, cwd="/")
        if done.returncode:
            log = self.folder / "log"
            raise RuntimeError(
                f"{words[0]}: {done.stdout}{done.stderr}{log.read_text()[-2000:] if log.exists() else ''}"
            )
