"""Build sdists and manylinux wheels of both distributions, and test the wheels where the source is out of reach.

``make wheels``. Wheels are made from the sdists, unpacked outside the checkout, so what is missing in an sdist is missed
here. The oldest glibc that the compiled parts need gives the manylinux tag.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
TOOLS = Path(sys.executable).parent
DISTRIBUTIONS = {"leadcore_arrow": ROOT / "ext" / "arrow", "leadcore": ROOT}
WITH = ("pytest", "pytest-benchmark", "hypothesis", "cython", "pyarrow", "polars", "pandas", "duckdb", "typer", "rich")
ABOUT_THE_CHECKOUT = ("tests/integration/test_documentation.py",)

IN_SDIST = {
    "leadcore": (
        "LICENSE", "README.md", "pyproject.toml", "PKG-INFO", "src/leadcore/__init__.py", "ext/kernel/CMakeLists.txt",
        "ext/kernel/engine.pyx", "ext/kernel/leadcore_kernel/fold.pxd", "ext/kernel/leadcore_kernel/wide.h",
        "ext/kernel/leadcore_kernel/growth_table.h",
    ),
    "leadcore_arrow": (
        "LICENSE", "README.md", "pyproject.toml", "PKG-INFO", "Cargo.toml", "Cargo.lock", "src/lib.rs",
        "python/leadcore_arrow/_edge.pyi", "python/leadcore_arrow/py.typed",
    ),
}  # fmt: skip
EXT = sysconfig.get_config_var("EXT_SUFFIX")
INCLUDE = "leadcore/_kernel/include/leadcore_kernel"
IN_WHEEL = {
    "leadcore": (
        "leadcore/__init__.py", f"leadcore/_kernel/engine{EXT}", f"{INCLUDE}/__init__.pxd", f"{INCLUDE}/fold.pxd",
        f"{INCLUDE}/layout.pxd", f"{INCLUDE}/wide.h",
    ),
    "leadcore_arrow": ("leadcore_arrow/__init__.py", "leadcore_arrow/_edge.abi3.so", "leadcore_arrow/_edge.pyi"),
}  # fmt: skip


class WheelError(Exception):
    """What was built is not what should be shipped."""


def say(text: str) -> None:
    """Tell what is going on."""
    print(f"wheels: {text}", flush=True)


def run(*command: str | Path, cwd: Path = ROOT, **environment: str) -> None:
    """Run a command with the development tools within reach and nothing of the checkout on Python's path."""
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")}
    env["PATH"] = f"{TOOLS}{os.pathsep}{env['PATH']}"
    subprocess.run([str(part) for part in command], check=True, cwd=cwd, env={**env, **environment})


def one(folder: Path, pattern: str) -> Path:
    """The only file of this pattern."""
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise WheelError(f"{folder}/{pattern}: {len(found)} files, not one")
    return found[0]


def build(name: str, source: Path, work: Path) -> None:
    """The sdist of a distribution, and the wheel made from it, into dist/."""
    run(sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", DIST, source)
    sdist = one(DIST, f"{name}-[0-9]*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(work / "source", filter="data")
    unpacked = one(work / "source", f"{name}-[0-9]*")
    missing = [path for path in IN_SDIST[name] if not (unpacked / path).is_file()]
    if missing:
        raise WheelError(f"{sdist.name} lacks {', '.join(missing)}")
    raw = work / "raw"
    target = os.environ.get("CARGO_TARGET_DIR", str(ROOT / "build" / "wheels"))  # the next time is quicker
    run(
        sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", raw, unpacked,
        cwd=work, CARGO_TARGET_DIR=target,
    )  # fmt: skip
    wheel = one(raw, f"{name}-[0-9]*.whl")
    run(sys.executable, "-m", "auditwheel", "repair", "--wheel-dir", DIST, wheel, cwd=work)


def check_wheel(name: str, wheel: Path) -> None:
    """The wheel holds what it should, and nothing of the workshop."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    missing = [path for path in IN_WHEEL[name] if path not in names]
    if not any(path.endswith("licenses/LICENSE") for path in names):
        missing.append("LICENSE")
    if missing:
        raise WheelError(f"{wheel.name} lacks {', '.join(missing)}")
    unwanted = [path for path in names if path.endswith((".pyx", ".c", ".rs", ".a")) or path.startswith("tests/")]
    if unwanted:
        raise WheelError(f"{wheel.name} should not hold {', '.join(sorted(unwanted))}")
    if "manylinux" not in wheel.name:
        raise WheelError(f"{wheel.name} is for this machine only")


def test(wheels: list[Path], work: Path, selected: list[str]) -> None:
    """Run the integration tests on the wheels: a new environment, a copy of the tests, no source on the path."""
    environment, copy = work / "environment", work / "tests"
    run(TOOLS / "uv", "venv", "--quiet", "--python", sys.executable, environment)
    python = environment / "bin" / "python"
    run(
        TOOLS / "uv", "pip", "install", "--quiet", "--python", python, "--constraint", ROOT / "requirements" / "dev.txt",
        *wheels, *WITH,
    )  # fmt: skip
    copy.mkdir()
    unwanted = shutil.ignore_patterns("__pycache__", ".*")
    for folder in ("tests", "benchmarks"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=unwanted)
    shutil.copy(ROOT / "pyproject.toml", copy)
    installed = "import leadcore, leadcore_arrow; print(leadcore.__file__, leadcore_arrow.__file__)"
    told = subprocess.run([python, "-I", "-c", installed], check=True, cwd=copy, capture_output=True, text=True).stdout
    if not all(path.startswith(str(environment)) for path in told.split()):
        raise WheelError(f"the tests would not run on the wheels but on {told}")
    data = Path(os.environ.get("LEADCORE_REAL_DATA", ROOT / "../shared/data")).resolve()
    run(
        python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(selected or ["tests/integration"]),
        *(f"--ignore={path}" for path in ABOUT_THE_CHECKOUT),
        cwd=copy, PATH=f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}", LEADCORE_REAL_DATA=str(data),
    )  # fmt: skip


def build_all(work: Path) -> None:
    """Both distributions into an empty dist/."""
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    for name, source in DISTRIBUTIONS.items():
        say(f"building {name}")
        (work / name).mkdir()
        build(name, source, work / name)


def main() -> int:
    """Build, check, test, and print sizes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--no-build", action="store_true", help="take the wheels that are in dist/")
    parser.add_argument("--no-tests", action="store_true", help="build and check only")
    parser.add_argument("selected", nargs="*", help="tests to run, of the copied folder (default: tests/integration)")
    options = parser.parse_args()
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="leadcore-wheels-") as temporary:
        if not options.no_build:
            build_all(Path(temporary))
        wheels = [one(DIST, f"{name}-[0-9]*.whl") for name in DISTRIBUTIONS]
        for name, wheel in zip(DISTRIBUTIONS, wheels, strict=True):
            check_wheel(name, wheel)
        if not options.no_tests:
            say("testing the wheels, the source out of reach")
            test(wheels, Path(temporary), options.selected)
    for path in sorted(DIST.iterdir()):
        say(f"{path.stat().st_size / 1e6:8.2f} MB  {path.relative_to(ROOT)}")
    say(f"done in {time.perf_counter() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (WheelError, subprocess.CalledProcessError) as fault:
        sys.exit(f"wheels: {fault}")
