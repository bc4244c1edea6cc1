"""Build the kernel with a sanitizer watching, away from .venv, and run tests over that build.

``python tools/sanitize.py asan|tsan [TEST ...]`` (``make sanitize-asan``, ``make sanitize-tsan``) uses gcc, ``fuzz`` (``make
fuzz-state``) clang and its libFuzzer; each kind has an environment and a build folder of its own below ``build/sanitize``,
where a second run builds only what changed. What follows ``--`` goes to pytest, or to libFuzzer.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BELOW = ROOT / "build" / "sanitize"
UV = Path(sys.executable).with_name("uv")
SITE = Path("lib") / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"

# Calls that only integers cross: everything else is Python's own, and slow under a sanitizer.
TESTS = {
    "asan": [
        "tests/kernel", "tests/spec", "tests/boundary", "tests/property/test_kernel.py", "tests/property/test_replay.py",
        "tests/property/test_replay_api.py", "tests/property/test_shares.py", "tests/integration/test_replay_results.py",
        "tests/integration/test_results.py", *sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("tests/*/test_*ledger*.py")),
    ],
    "tsan": [
        "tests/integration/test_threads.py",
        *sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("tests/integration/test_ledger_threads.py")),
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """How to build, and what a run needs.

    Attributes:
        compiler: The C compiler.
        compile: What it is told beside the build's own flags; the last word on optimising is here.
        link: What the linker is told.
        preload: Libraries that must be there before Python.
        environment: Variables of the run.
    """

    compiler: str
    compile: str
    link: str
    preload: tuple[str, ...]
    environment: dict[str, str]


CLANG = next((name for name in ("clang", *(f"clang-{n}" for n in range(25, 13, -1))) if shutil.which(name)), "clang")
CLANG_UNDEFINED = (
    "-fsanitize=address,undefined,float-cast-overflow,float-divide-by-zero "
    "-fno-sanitize=pointer-overflow -fno-sanitize-recover=all"  # Cython's own wrappers add 0 to NULL
)
COVERAGE = "-fsanitize-coverage=inline-8bit-counters,pc-table"  # tracing comparisons too took two thirds of the time
UNDEFINED = "-fsanitize=address,undefined,float-cast-overflow,float-divide-by-zero"
KINDS = {
    "asan": Kind(
        "gcc",
        f"-O1 -g -fno-omit-frame-pointer -fno-wrapv {UNDEFINED} -fno-sanitize-recover=undefined,float-cast-overflow",
        UNDEFINED,
        ("libasan.so", "libubsan.so"),
        {
            "PYTHONMALLOC": "malloc",
            "ASAN_OPTIONS": "detect_leaks=0:exitcode=99",
            "UBSAN_OPTIONS": "print_stacktrace=1",
        },
    ),
    "tsan": Kind(
        "gcc",
        "-O1 -g -fno-omit-frame-pointer -fsanitize=thread",
        "-fsanitize=thread",
        ("libtsan.so",),
        {"TSAN_OPTIONS": "exitcode=66:ignore_noninstrumented_modules=1"},
    ),
    "fuzz": Kind(
        CLANG,
        f"-O2 -g -fno-omit-frame-pointer -fno-wrapv {COVERAGE} {CLANG_UNDEFINED}",
        CLANG_UNDEFINED,
        (f"libclang_rt.asan-{platform.machine()}.so",),
        {
            "PYTHONMALLOC": "malloc",
            "ASAN_OPTIONS": "detect_leaks=0:exitcode=99:verify_asan_link_order=0:malloc_context_size=4",
            "UBSAN_OPTIONS": "print_stacktrace=1",
        },
    ),
}


def build(name: str, kind: Kind) -> Path:
    """The environment of this kind, with the kernel as the sources say now; returns its Python."""
    folder = BELOW / name
    python = folder / "venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder / "venv"], check=True)
        # What .venv holds, but not its editable install of leadcore: .pth files in a folder named here are not read.
        places = [Path(sys.prefix) / SITE, ROOT / "ext" / "arrow" / "python"]
        (folder / "venv" / SITE / "borrowed.pth").write_text("".join(f"{place}\n" for place in places))
    rule = f"<CMAKE_C_COMPILER> <DEFINES> <INCLUDES> <FLAGS> {kind.compile} -o <OBJECT> -c <SOURCE>"
    defines = {
        "CMAKE_C_COMPILER": shutil.which(kind.compiler),
        "CMAKE_C_COMPILE_OBJECT": rule,  # after the flags of CMakeLists.txt, where CMAKE_C_FLAGS would come before them
        "CMAKE_MODULE_LINKER_FLAGS": kind.link,
    }
    options = [f"--config-settings=cmake.define.{key}={value}" for key, value in defines.items()]
    subprocess.run(
        [
            UV, "pip", "install", "--quiet", "--python", python, "--no-build-isolation", "--no-deps", "--reinstall-package", "leadcore",
            *options, f"--config-settings=build-dir={folder / 'build'}", "--config-settings=install.strip=false", "--editable", ROOT,
        ],
        check=True,
        env={**os.environ, "PATH": f"{UV.parent}{os.pathsep}{os.environ['PATH']}"},
    )  # fmt: skip
    return python


def runtime(compiler: str, name: str) -> str:
    """Where the compiler keeps one of its libraries."""
    found = subprocess.run([compiler, f"-print-file-name={name}"], check=True, capture_output=True, text=True).stdout
    return found.strip()


CANARY = """
int values[4];
int overrun(int i) { return values[i]; }
int shift(int i) { return 1 << i; }
int count(int n) { for (int i = 0; i < n; i++) ((volatile int *) values)[0]++; return values[0]; }
"""
# By kind: what must end the process. A sanitizer that is not awake finds nothing, and says so in green.
DEATHS = {
    "asan": ("canary.overrun(4)", "canary.shift(40)"),
    "fuzz": ("canary.overrun(4)", "canary.shift(40)"),
    "tsan": ("[t.start() or t for t in [Thread(target=canary.count, args=(10**6,)) for _ in range(2)]][0].join()",),
}


def check_awake(name: str, kind: Kind, python: Path, environment: dict[str, str]) -> None:
    """Faults of a canary, built and run like the kernel, are found."""
    source, library = (BELOW / name / f"canary.{ending}" for ending in ("c", "so"))
    source.write_text(CANARY)
    flags = [*kind.compile.split(), *kind.link.split()]
    subprocess.run([kind.compiler, *flags, "-shared", "-fPIC", "-o", library, source], check=True)
    for death in DEATHS[name]:
        code = f"from ctypes import CDLL; from threading import Thread; canary = CDLL({str(library)!r}); {death}"
        ran = subprocess.run([python, "-c", code], env=environment, capture_output=True, text=True)
        if ran.returncode == 0 or not re.search(
            "runtime error|ERROR: AddressSanitizer|WARNING: ThreadSanitizer", ran.stderr
        ):
            raise SystemExit(f"sanitize: {death} ended with {ran.returncode}: {name} is asleep\n{ran.stderr}")


def libfuzzer(compiler: str) -> Path:
    """The library of libFuzzer, loaded before Python, so that the kernel finds its counters there."""
    library = BELOW / "fuzz" / "libfuzzer.so"
    if not library.exists():
        archive = runtime(compiler, f"libclang_rt.fuzzer_no_main-{platform.machine()}.a")
        command = [compiler, "-shared", "-o", library, "-Wl,--whole-archive", archive, "-Wl,--no-whole-archive"]
        subprocess.run([*command, "-lstdc++", "-lm", "-lpthread"], check=True)
    return library


def fuzz(python: Path, environment: dict[str, str], runs: int, jobs: int, options: list[str]) -> int:
    """Feed damaged states to the kernel, in processes that share what they find; how it ended."""
    folder = BELOW / "fuzz"
    (folder / "found").mkdir(exist_ok=True)
    command = [
        python, "-X", "faulthandler", "-m", "tools.fuzz_state", folder / "corpus", f"-runs={-(-runs // jobs)}",
        f"-artifact_prefix={folder / 'found'}/", "-max_len=4096", "-timeout=20", "-rss_limit_mb=6144", "-print_final_stats=1", "-entropic=0",
        "-reload=1", *options,
    ]  # fmt: skip
    children = [subprocess.Popen(command, cwd=ROOT, env=environment) for _ in range(jobs)]
    return max(map(abs, [child.wait() for child in children]))


def main(arguments: list[str] | None = None) -> int:
    """Build, run, and return how the run ended."""
    parser = argparse.ArgumentParser(prog="python tools/sanitize.py", description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=tuple(KINDS))
    parser.add_argument("tests", nargs="*", help="paths for pytest, instead of the usual ones")
    parser.add_argument("--build-only", action="store_true")
    parser.add_argument("--runs", type=int, default=10_000_000, help="of fuzz: inputs")
    parser.add_argument("--jobs", type=int, default=1, help="of fuzz: processes")
    given = sys.argv[1:] if arguments is None else arguments
    split = given.index("--") if "--" in given else len(given)
    options, further = parser.parse_args(given[:split]), given[split + 1 :]
    kind = KINDS[options.kind]
    if shutil.which(kind.compiler) is None:
        raise SystemExit(f"sanitize: {options.kind} needs {kind.compiler}, with its sanitizers")
    python = build(options.kind, kind)
    preload = [runtime(kind.compiler, name) for name in kind.preload]
    environment = {**os.environ, **kind.environment, "LD_PRELOAD": " ".join(preload)}
    if options.kind == "fuzz":
        environment["LD_PRELOAD"] = f"{libfuzzer(kind.compiler)} {environment['LD_PRELOAD']}"
    check_awake(options.kind, kind, python, environment)
    if options.build_only:
        return 0
    if options.kind == "fuzz":
        return fuzz(python, environment, options.runs, options.jobs, further)
    tests = options.tests or TESTS[options.kind]
    command = [
        python,
        "-X",
        "faulthandler",
        "-m",
        "pytest",
        "-s",
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        *tests,
        *further,
    ]
    return subprocess.run(command, cwd=ROOT, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
