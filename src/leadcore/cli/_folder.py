"""A directory that tables are to be written into."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from leadcore._files import STANDARD_STREAM
from leadcore.cli._errors import Stop


def check_folder(folder: str, option: str, names: Sequence[str], others: Mapping[str, str | None]) -> None:
    """Refuse what cannot go well before anything is read.

    Args:
        folder: The directory; it need not be there.
        option: What named it.
        names: The files to be written into it.
        others: Files of other options, none of which may be written over.

    Raises:
        Stop: It is a file, or would be in a directory that is not there; or a file cannot be written.
    """
    if folder == STANDARD_STREAM:
        raise Stop(f"{option}: several tables do not fit into the standard stream: name a directory")
    path = Path(os.path.realpath(folder))
    if path.exists() and not path.is_dir():
        raise Stop(f"{option}: {folder} is a file, and a directory is wanted")
    if not path.parent.is_dir():
        raise Stop(f"{option}: there is no directory {Path(folder).parent}")
    taken = {os.path.realpath(file): (other, file) for other, file in others.items() if file is not None}
    for name in names:
        if (path / name).is_dir():
            raise Stop(f"{option}: {Path(folder) / name} is a directory")
        if str(path / name) in taken:
            raise Stop(f"{option} would write over {' '.join(taken[str(path / name)])}")
