"""Others may build on the kernel: a Cython module that cimports its fold gives the scorer's bits."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import leadcore as lc

EXAMPLE = Path(__file__).with_name("cimport") / "half_life.pyx"
DAY = 86_400_000_000


def built(folder: Path, directives: list[str]) -> ModuleType:
    """The example, compiled in a folder of its own; skipped where nothing can compile it."""
    compiler = os.environ.get("CC") or next(filter(shutil.which, ("cc", "gcc", "clang")), None)
    if compiler is None:
        pytest.skip("no C compiler")
    if importlib.util.find_spec("Cython") is None:
        pytest.skip("no Cython")
    headers = sysconfig.get_path("include")
    if not (Path(headers) / "Python.h").exists():
        pytest.skip(f"no Python.h in {headers}")
    source, library = folder / "half_life.c", folder / f"half_life{sysconfig.get_config_var('EXT_SUFFIX')}"
    cython = [sys.executable, "-m", "cython", "-3", *directives, "-I", lc.get_include(), EXAMPLE, "-o", source]
    subprocess.run(cython, check=True, cwd=folder)
    flags = ["-shared", "-fPIC", "-O1", "-ffp-contract=off", f"-I{headers}", f"-I{lc.get_include()}"]
    subprocess.run([*compiler.split(), *flags, str(source), "-o", str(library)], check=True, cwd=folder)
    spec = importlib.util.spec_from_file_location("half_life", library)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "directives", [[], ["-X", "cdivision=True", "-X", "boundscheck=False"]], ids=["plain", "unchecked"]
)
def test_a_foreign_module_folds_like_the_scorer(tmp_path: Path, directives: list[str]) -> None:
    """Whatever Cython directives the other module is compiled with."""
    half_life = built(tmp_path, directives)
    rng = np.random.default_rng(7)
    at = np.sort(rng.integers(-50 * DAY, 400 * DAY, size=500))
    points = rng.integers(-100, 100, size=500)
    asked = np.sort(rng.integers(-10 * DAY, 500 * DAY, size=20))

    model = lc.Model.from_yaml(
        """
        leadcore: 1
        name: own-sum
        events: {act: {points: number}}
        scores:
          sum: {criteria: [{name: sum, kind: event, on: act, points: {per: points, rate: 1}, decay: {half_life: 14d}}]}
        """
    )
    events = {
        "lead_id": np.zeros(500, np.int64),
        "at": at.astype("datetime64[us]"),
        "type": ["act"] * 500,
        "points": points,
    }
    table = {"lead_id": np.zeros(20, np.int64), "as_of": asked.astype("datetime64[us]")}
    expected = lc.Scorer(model).score(events, as_of=table, micropoints=True).table.column("sum")

    assert half_life.values(at, points * 10**6, 14 * DAY, asked) == expected.tolist()


def test_what_others_compile_against_is_there() -> None:
    """Declarations and headers lie beside the compiled modules."""
    folder = Path(lc.get_include()) / "leadcore_kernel"

    names = {path.name for path in folder.iterdir()}

    assert {"__init__.pxd", "decay.pxd", "fold.pxd", "growth_table.h", "layout.pxd", "wide.h", "wide.pxd"} <= names
