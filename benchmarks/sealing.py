"""How fast a record is sealed and verified, and how long one look holds the end of the chain.

    DATABASE_URL=… python manage.py migrate
    DATABASE_URL=… python manage.py make_record --broadcasts 20000
    DATABASE_URL=… python -m benchmarks.sealing

Seals everything that was finished a minute ago, look by look without a pause, then verifies it all.
Not for a database whose record is real: what ledgers may still owe it is not waited for.
"""

from __future__ import annotations

import os
import resource
import time
from statistics import median, quantiles

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "broadcast_project.settings")
django.setup()

from django.utils import timezone  # noqa: E402

from broadcasts.archive.sealing import INTERRUPTED, look  # noqa: E402
from broadcasts.archive.verification import Verification  # noqa: E402
from broadcasts.archive.waiting import SETTLED  # noqa: E402


def seal_all() -> None:
    """Seal what there is and tell how long the looks took."""
    now = timezone.now()
    look(now - SETTLED)
    look(now - INTERRUPTED)
    sealed, took, more = 0, [], True
    began = time.process_time()
    while more:
        start = time.perf_counter()
        one = look(now)
        took.append((time.perf_counter() - start) * 1000)
        sealed, more = sealed + one.sealed, one.more
    cpu = since(began)
    if len(took) > 1:
        print(f"a look: median {median(took):.1f} ms, 95th {quantiles(took, n=20)[-1]:.1f} ms")
    tell("sealed", sealed, sum(took) / 1000, cpu)


def verify_all() -> None:
    """Verify what there is."""
    start, began = time.perf_counter(), time.process_time()
    report = Verification().run()
    tell("verified", sum(report.checked.values()), time.perf_counter() - start, since(began))
    print(f"  {report.faults.count} faults; memory at most {memory_mb():.0f} MB")


def since(began: float) -> float:
    return time.process_time() - began


def tell(what: str, count: int, seconds: float, cpu: float) -> None:
    """Tell how many and how fast, by the clock and by this process's own time."""
    each = cpu / count * 1e6 if count else 0
    print(f"{what} {count:,} in {seconds:.1f} s: {count / seconds:,.0f}/s, {each:.0f} µs CPU each")


def memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    seal_all()
    verify_all()
