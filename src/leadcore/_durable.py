"""Files that are whole or not there: written beside their name, brought to the disk, renamed."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes the place of another when all of it is on the disk, and else is gone.

    Raises:
        OSError: It cannot be written; what stood there stands.
    """
    target = Path(os.path.realpath(path))  # the file, not a link to it
    mode = None
    if target.exists():
        mode = stat.S_IMODE(target.stat().st_mode)
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
        if not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))
    beside = target.with_name(f".{target.name[:40]}.{secrets.token_hex(8)}.part")
    try:
        with beside.open("xb") as file:
            if mode is not None:
                beside.chmod(mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


def write_whole(path: Path, data: bytes) -> None:
    """Put a file in place of another, whole and on the disk, its name too.

    Raises:
        OSError: It cannot be written; what stood there stands, unless its folder alone could not be brought to the disk.
    """
    with replacing(path) as file:
        file.write(data)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have a rename on the disk, where folders can be brought there."""
    if os.name == "nt":
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    except OSError as fault:
        if fault.errno != errno.EINVAL:  # some file systems cannot
            raise
    finally:
        os.close(number)


def clean(folder: Path, name: str = "") -> None:
    """Remove what a writer that was killed left beside a file of this name, or beside all files of a folder."""
    start = f".{name[:40]}." if name else "."
    for left in folder.iterdir() if folder.is_dir() else ():
        if left.name.startswith(start) and left.name.endswith(".part"):
            left.unlink()
