"""Stop batch jobs again and again, let them go on, and compare what they leave with what an undisturbed job left.

    python -m tools.crash_batch kill --times 200
    python -m tools.crash_batch full --times 50

``kill`` sends SIGKILL at random instants of a job, several times in some; ``full`` runs jobs on a file system that is
full at a random point, then makes room (needs the right to mount). Afterwards ``--resume`` must leave every result byte
by byte as the undisturbed job did, and nothing else. Jobs are scorings with explanations, accounts and rejects, and
replays, in turn.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from hashlib import blake2b
from pathlib import Path

from leadcore.batch.manifest import NAME

MODEL = """
leadcore: 1
name: crash
attributes: {title: {type: text, optional: true}}
events: {visit: {points: {type: number, optional: true}, url: {type: text, optional: true}}, call: {}}
accounts: {key: account_id, scores: {interest_of_all: {of: interest, by: sum}, best: {of: interest, by: max}}}
scores:
  interest:
    criteria:
      - {name: visits, kind: event, on: visit, points: {per: points, rate: 1}, decay: {half_life: 7d}}
      - {name: prices, kind: event, on: visit, where: {field: url, op: contains, value: price}, points: 3}
      - {name: calls, kind: event, on: call, points: 7, limit: {count: 2, per: day}}
      - {name: boss, kind: attribute, when: {field: title, op: eq, value: CEO}, points: 20}
thresholds: {hot: {score: interest, at: 40, release: 20}}
lifecycle:
  initial: new
  evaluate: {every: 1d}
  stages: [{name: new}, {name: warm, sla: {due: 2d, alerts: [{after: 1d, notify: [sales]}]}}, {name: cold}]
  transitions:
    - {name: keen, from: [new, cold], to: warm, when: {field: score.interest, op: ge, value: 25}}
    - {name: off, from: warm, to: cold, after: 4d}
"""
PARTITIONS, FILES = 6, 3


def make_tables(folder: Path, events: int) -> None:
    """Tables of a thousandth faulty rows, and ids that are text in one place only."""
    random.seed(6)
    leads = max(events // 20, 10)
    (folder / "model.yaml").write_text(MODEL)
    with (folder / "leads.csv").open("w") as out:
        out.write("lead_id,account_id,title\n")
        for lead in range(leads):
            out.write(f"{lead},a{lead % (leads // 5 + 1)},{'CEO' if lead % 9 == 0 else ''}\n")
    with ExitStack() as files:
        outs = [files.enter_context((folder / f"events-{i}.csv").open("w")) for i in range(FILES)]
        for out in outs:
            out.write("lead_id,at,type,points,url,event_id\n")
        for row in range(events):
            out = outs[row * FILES // events]
            lead = int(leads * random.random() ** 2)
            at = f"2026-{random.randint(1, 9):02}-{random.randint(1, 28):02}T{random.randint(0, 23):02}:00:00Z"
            if random.random() < 0.001:
                at = "yesterday"
            kind = random.choice(("visit", "visit", "visit", "call", "open"))
            out.write(
                f"{lead},{at},{kind},{random.randint(0, 9)},/{random.choice(('price', 'blog'))}/{row % 999},e{row}\n"
            )
            if random.random() < 0.002:  # told in another way, maybe in another file
                outs[random.randrange(FILES)].write(f"{lead},2026-05-01,call,1,,e{row}\n")
        out.write("someone,2026-05-01,call,,,last\n")


def arguments(kind: str, tables: Path, out: Path) -> list[str]:
    """A job as a command line."""
    shared = ["--leads", str(tables / "leads.csv"), "--events", str(tables / "events-*.csv"), "--resume", "--quiet"]
    shared += ["--partitions", str(PARTITIONS), "--rejects", str(out / "rejects.csv"), "--threads", "1"]
    if kind == "replay":
        return ["replay", str(tables / "model.yaml"), *shared, "--until", "2026-10-01", "--out", str(out / "tables")]
    more = ["--accounts", str(out / "accounts.csv"), "--explanations", str(out / "explanations.parquet")]
    return [
        "score",
        str(tables / "model.yaml"),
        *shared,
        *more,
        "--as-of",
        "2026-10-01",
        "--out",
        str(out / "s.parquet"),
    ]


def start(kind: str, tables: Path, out: Path) -> subprocess.Popen[str]:
    """The job in a process of its own."""
    command = [sys.executable, "-m", "leadcore.cli", *arguments(kind, tables, out)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def left(out: Path) -> dict[str, str]:
    """A digest of every file a job left."""
    files = sorted(file for file in out.rglob("*") if file.is_file())
    return {str(file.relative_to(out)): blake2b(file.read_bytes(), digest_size=16).hexdigest() for file in files}


def finish(kind: str, tables: Path, out: Path) -> float:
    """Run the job to its end; seconds."""
    began = time.monotonic()
    job = start(kind, tables, out)
    _, told = job.communicate()
    if job.returncode:
        raise SystemExit(f"{kind} in {out} ended with {job.returncode}:\n{told}")
    return time.monotonic() - began


def stopped_at(out: Path) -> str:
    """How far the manifest says a job is."""
    manifests = list(out.glob(f"*.work/{NAME}"))
    if not manifests:
        return "nothing begun" if not list(out.glob("*.work")) else "no manifest"
    said = json.loads(manifests[0].read_text())[1]
    if said["cut"] is None:
        return "cutting"
    if len(said["done"]) < said["partitions"]:
        return "partitions"
    return "putting together"


def kill(tables: Path, folder: Path, times: int, seed: int) -> Counter[str]:
    """Kill jobs at random instants until ``times`` blows are struck; where they were struck."""
    random.seed(seed)
    whole, seconds = {}, {}
    for kind in ("score", "replay"):
        (folder / kind).mkdir()
        seconds[kind] = finish(kind, tables, folder / kind)
        whole[kind] = left(folder / kind)
    struck: Counter[str] = Counter()
    trial = 0
    while struck.total() < times:
        kind = ("score", "replay")[trial % 2]
        out = folder / f"trial-{trial}"
        out.mkdir()
        for _ in range(random.choice((1, 1, 2, 3))):
            job = start(kind, tables, out)
            time.sleep(random.uniform(0.2, 1.05) * seconds[kind])
            job.send_signal(signal.SIGKILL)
            job.communicate()
            if job.returncode == -signal.SIGKILL:
                struck[f"{kind}: {stopped_at(out)}"] += 1
            else:
                break
        finish(kind, tables, out)
        if left(out) != whole[kind]:
            raise SystemExit(f"{out} differs from {folder / kind}: {left(out)} and {whole[kind]}")
        shutil.rmtree(out)
        trial += 1
    return struck


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[None]:
    """A file system of so many bytes."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def full(tables: Path, folder: Path, times: int, seed: int) -> Counter[str]:
    """Run jobs on a disk that is full at a random point, then make room; where they stopped."""
    random.seed(seed)
    whole = {}
    for kind in ("score", "replay"):
        (folder / kind).mkdir()
        finish(kind, tables, folder / kind)
        whole[kind] = left(folder / kind)
    stopped: Counter[str] = Counter()
    trial = 0
    while stopped.total() < times:
        kind = ("score", "replay")[trial % 2]
        most = 3 * sum(file.stat().st_size for file in tables.glob("events-*.csv"))
        out = folder / f"trial-{trial}"
        with small_disk(out, random.randint(1, 20) * most // 40):
            job = start(kind, tables, out)
            _, told = job.communicate()
            if job.returncode:
                if job.returncode != 1 or "no space left on device" not in told or "--resume" not in told:
                    raise SystemExit(f"{kind} on a full disk ended with {job.returncode}:\n{told}")
                stopped[f"{kind}: {stopped_at(out)}"] += 1
            subprocess.run(["mount", "-o", f"remount,size={4 * most}", str(out)], check=True)
            finish(kind, tables, out)
            if left(out) != whole[kind]:
                raise SystemExit(f"{out} differs from {folder / kind}: {left(out)} and {whole[kind]}")
        trial += 1
    return stopped


def main(given: list[str] | None = None) -> None:
    """Stop jobs so many times."""
    parser = argparse.ArgumentParser(prog="python -m tools.crash_batch", description=__doc__.splitlines()[0])
    parser.add_argument("how", choices=("kill", "full"))
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(given)
    with tempfile.TemporaryDirectory() as name:
        tables = Path(name) / "tables"
        tables.mkdir()
        make_tables(tables, options.events)
        began = time.monotonic()
        struck = (kill if options.how == "kill" else full)(tables, Path(name), options.times, options.seed)
    for where, number in sorted(struck.items()):
        print(f"{number:5}  {where}")
    print(
        f"{struck.total()} in {time.monotonic() - began:.0f} s; every job ended byte for byte as the undisturbed ones"
    )


if __name__ == "__main__":
    main()
