"""Refuse run-time dependencies under a licence that binds those who embed leadcore (GPL, LGPL, AGPL)."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution, requires

ALLOWED = re.compile(
    r"Apache-2\.0|Apache Software License|Apache License|MIT|BSD|ISC|Zlib|Unlicense|CC0-1\.0|0BSD|BSL-1\.0"
    r"|Unicode-3\.0|Python Software Foundation|PSF|MPL-2\.0"
)
REFUSED = re.compile(r"\b[AL]?GPL")
BY_CHOICE = {"psycopg": "postgres"}
"""Distributions that come with one extra and nothing else, under a licence (LGPL) that does not bind who only imports them."""


def rust() -> list[str]:
    """Crates linked into leadcore-arrow whose licence has no allowed choice."""
    metadata = json.loads(
        subprocess.run(
            ["cargo", "metadata", "--format-version=1", "--locked", "--filter-platform=x86_64-unknown-linux-gnu"],
            cwd="ext/arrow",
            check=True,
            capture_output=True,
        ).stdout
    )
    return [
        f"crate {p['name']} {p['version']}: {p['license'] or 'no licence stated'}"
        for p in metadata["packages"]
        if not any(ALLOWED.search(c) and not REFUSED.search(c) for c in re.split(r"\bOR\b|/", p["license"] or ""))
    ]


def python(root: str) -> list[str]:
    """Distributions that leadcore or one of its extras needs at run time, likewise."""
    found, waiting, seen = [], [root], set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            meta = distribution(name).metadata
        except PackageNotFoundError:
            continue
        classifiers = [
            c.rsplit("::", 1)[-1].strip() for c in meta.get_all("Classifier") or [] if c.startswith("License")
        ]
        text = " ".join([meta.get("License-Expression") or "", (meta.get("License") or "")[:200], *classifiers])
        if REFUSED.search(text) or not ALLOWED.search(text):
            found.append(f"distribution {name} {meta['Version']}: {text.strip() or 'no licence stated'}")
        for line in requires(name) or []:
            needed = re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0]
            chosen = name == root and needed in BY_CHOICE and re.search(f"extra == .{BY_CHOICE[needed]}.", line)
            if ("extra ==" not in line or name == root) and not chosen:
                waiting.append(needed)
    return found


if __name__ == "__main__":
    faults = rust() + python("leadcore")
    print("\n".join(faults) if faults else "licences: every run-time dependency may be embedded")
    sys.exit(bool(faults))
