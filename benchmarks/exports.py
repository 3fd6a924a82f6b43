"""How fast the record is exported, and how much memory a million rows take more than ten.

    python -m benchmarks.exports [--format csv] [--rows 1000000] [--everything]

Reads the record of DATABASE_URL: make one first with `manage.py make_record --broadcasts 1000000`.
Each run is a process of its own, as its memory is the most that it ever took.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from typing import Any

COLUMNS = 20
FEW = 10
LEAST_PER_SECOND = 30_000
MOST_MORE_MB = 60


class Nowhere:
    """Takes a package and keeps nothing of it: what is measured is its making."""

    def write(self, data: bytes) -> int:
        return len(data)


def export(format: str, rows: int, everything: bool) -> dict[str, Any]:
    """Export the newest `rows` broadcasts in this process and return what that took.

    Of everything there are more rows: all columns, and the candidates and attempts too.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "broadcast_project.settings")
    import django

    django.setup()
    from broadcasts.exports.making import make
    from broadcasts.exports.rights import CommandLine
    from broadcasts.history.columns import ALL
    from broadcasts.models import Broadcast, Export

    newest = Broadcast.objects.order_by("-opened_at", "-pk").values_list("opened_at", flat=True)
    since = list(newest[rows - 1 : rows])
    query = {"period": ["all"], **({"since": [since[0].isoformat()]} if since else {})}
    keys = [] if everything else [column.key for column in ALL[:COLUMNS]]
    wanted = Export(format=format, query=query, columns=keys, zone="Europe/Berlin")
    start, before = time.perf_counter(), time.process_time()
    made = make(wanted, CommandLine("benchmark"), Nowhere())  # type: ignore[arg-type]
    taken = time.perf_counter() - start
    return {
        "rows": made.rows,
        "seconds": round(taken, 2),
        "cpu_seconds": round(time.process_time() - before, 2),
        "rows_per_second": round(made.rows / taken),
        "package_mb": round(made.size / 2**20, 1),
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def in_a_process(rows: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.exports", *sys.argv[1:], "--once", str(rows)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return dict(json.loads(done.stdout))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--format", choices=("csv", "jsonl", "xlsx"), default="csv")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--everything", action="store_true", help="not 20 columns, but all")
    parser.add_argument("--once", type=int, help="export so many rows in this process")
    options = parser.parse_args()
    if options.once:
        print(json.dumps(export(options.format, options.once, options.everything)))
        return
    few, many = (in_a_process(rows) for rows in (FEW, options.rows))
    more = round(many["memory_mb"] - few["memory_mb"], 1)
    print(json.dumps({"few": few, "many": many, "more_memory_mb": more}, indent=2))
    if options.format == "csv" and many["rows_per_second"] < LEAST_PER_SECOND:
        raise SystemExit(f"fewer than {LEAST_PER_SECOND:,} rows a second")
    if more > MOST_MORE_MB:
        raise SystemExit(f"more than {MOST_MORE_MB} MB more than for {FEW} rows")


if __name__ == "__main__":
    main()
