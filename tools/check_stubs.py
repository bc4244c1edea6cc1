"""Compare the stubs of the compiled modules with the binaries, by mypy's stubtest."""

from __future__ import annotations

import subprocess
import sys

MODULES = ["leadcore._kernel.engine", "leadcore._kernel.records", "leadcore._kernel.accounts", "leadcore_arrow._edge"]

if __name__ == "__main__":
    command = [sys.executable, "-m", "mypy.stubtest", "--concise", "--allowlist", "tools/stubs_allowed.txt", *MODULES]
    sys.exit(subprocess.run(command, check=False).returncode)
