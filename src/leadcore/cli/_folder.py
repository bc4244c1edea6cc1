"""A directory that tables are to be written into."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from leadcore._sources import STANDARD_STREAM
from leadcore.cli._errors import Stop
from leadcore.cli._options import files_of


def check_folder(
    folder: str, option: str, names: Sequence[str], inputs: Mapping[str, str | None], outputs: Mapping[str, str | None]
) -> None:
    """Refuse what cannot go well before anything is read.

    Args:
        folder: The directory; it need not be there.
        option: What named it.
        names: The files to be written into it.
        inputs: By option, files that are read, none of which may be written over, nor be joined by others.
        outputs: By option, other files that are written.

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
    for table, source in inputs.items():
        if source is not None and path.is_relative_to(os.path.realpath(source)):
            raise Stop(f"{option}: {folder} would lie among the files of {table} {source}")
    taken = {file: f"{table} {source}" for table, source in inputs.items() for file in files_of(source, table)}
    taken |= {os.path.realpath(file): f"{other} {file}" for other, file in outputs.items() if file is not None}
    for name in names:
        if (path / name).is_dir():
            raise Stop(f"{option}: {Path(folder) / name} is a directory")
        if str(path / name) in taken:
            raise Stop(f"{option} would write over {taken[str(path / name)]}")
