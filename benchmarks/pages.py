"""How long people's pages take over a long record, beside the same pages over a short one.

    python -m benchmarks.pages --long postgres://…/million --short postgres://…/ten_thousand

Both databases are filled before (`manage.py make_record`, then a service that runs until it has
sealed what is finished). A page is the whole answer of Django, sign-in, middleware and template
included, but not the web server. The two databases take turns, each in a process of its own, so
what else the machine does falls on both. Every filter is one that fills a page in both.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

ROUNDS = 3
# The bound of each page at the 95th percentile, in milliseconds; and that of every ratio.
BOUNDS = {
    "history, first page": 100,
    "history, a status": 150,
    "history, a candidate": 150,
    "history, a called number": 150,
    "history, slow claims": 150,
    "history, thousandth page": 100,
    "one broadcast": 50,
    "reports, 7 days": 500,
    "reports, 30 days": 500,
    "reports, 90 days": 500,
}
BOUND_RATIO = 1.5


def addresses(count: int) -> dict[str, list[str]]:
    """Return so many addresses of each page, over the database of this process."""
    from django.urls import reverse
    from rest_framework.pagination import Cursor

    from broadcasts.history.paging import PER_PAGE, HistoryPages
    from broadcasts.models import Broadcast

    history, reports = reverse("web:history"), reverse("web:reports")
    newest = Broadcast.objects.order_by("-opened_at", "-pk")
    size = newest.count()
    pick = random.Random(1)

    def filtered(condition: str) -> list[str]:
        return [f"{history}?period=all&{condition}"] * count

    def thousandth() -> str:
        skipped = min(999 * PER_PAGE, size - PER_PAGE - 1) - pick.randrange(PER_PAGE)
        pages = HistoryPages()
        pages.base_url = history + "?period=all"
        at = str(newest.values_list("opened_at", flat=True)[skipped])
        return pages.encode_cursor(Cursor(offset=0, reverse=False, position=at))

    keys = newest.values_list("pk", flat=True)[: size // 2 : max(1, size // 2 // count)]
    return {
        "history, first page": [history] * count,
        "history, a status": filtered("status=failed"),
        "history, a candidate": filtered("candidate=billing"),
        "history, a called number": filtered("called=601"),
        "history, slow claims": filtered("latency_min=100"),
        "history, thousandth page": [thousandth() for _ in range(count)],
        "one broadcast": [reverse("web:broadcast", args=[key]) for key in list(keys)[:count]],
        "reports, 7 days": [f"{reports}?period=7d"] * count,
        "reports, 30 days": [f"{reports}?period=30d"] * count,
        "reports, 90 days": [f"{reports}?period=90d"] * count,
    }


def measure(count: int) -> dict[str, list[float]]:
    """Return how long each answer took, in milliseconds, by page."""
    import django

    django.setup()
    from django.contrib.auth import get_user_model
    from django.test import Client

    user, _ = get_user_model().objects.get_or_create(
        username="benchmark", defaults={"is_superuser": True, "is_staff": True}
    )
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    return {
        page: [timed(client, address) for address in [of[0], *of]][1:]
        for page, of in addresses(count).items()
    }


def timed(client: Any, address: str) -> float:
    """Return the milliseconds of one answer; raises RuntimeError for any but a page."""
    start = time.perf_counter()
    answer = client.get(address)
    taken = (time.perf_counter() - start) * 1000
    if answer.status_code != 200:
        raise RuntimeError(f"{address} is answered {answer.status_code}")
    return taken


def measured_elsewhere(database_url: str, count: int) -> dict[str, list[float]]:
    """Measure one database in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.pages", "--measure", "--requests", str(count)],
        env={
            **os.environ,
            "DATABASE_URL": database_url,
            "DJANGO_SETTINGS_MODULE": "broadcast_project.settings",
        },
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout)


def p95(taken: list[float]) -> float:
    return quantiles(taken, n=20)[-1]


def compare(long: str, short: str, count: int) -> dict[str, dict[str, float]]:
    """Measure both in turn; returns medians, 95th percentiles and the ratio of these, by page."""
    taken: dict[str, dict[str, list[float]]] = {}
    for _ in range(ROUNDS):
        for name, url in (("short", short), ("long", long)):
            for page, times in measured_elsewhere(url, count).items():
                taken.setdefault(page, {}).setdefault(name, []).extend(times)
    return {
        page: {
            "short_median": median(of["short"]),
            "long_median": median(of["long"]),
            "short_p95": p95(of["short"]),
            "long_p95": p95(of["long"]),
            "ratio": median(of["long"]) / median(of["short"]),
        }
        for page, of in taken.items()
    }


def main() -> int:
    """Print a table; returns 1 when a page is beyond its bound."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--long", help="DATABASE_URL of the long record")
    parser.add_argument("--short", help="DATABASE_URL of the short one")
    parser.add_argument("--requests", type=int, default=40, help="of each page, in each round")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.requests)))
        return 0
    if not options.long or not options.short:
        parser.error("name both databases: --long and --short")
    figures = compare(options.long, options.short, options.requests)
    print(f"{'ms':34} {'short':>8} {'long':>8} {'ratio':>6} {'p95':>8} {'bound':>6}")
    beyond = 0
    for page, of in figures.items():
        over = of["long_p95"] > BOUNDS[page] or of["ratio"] > BOUND_RATIO
        beyond += over
        print(
            f"{page:34} {of['short_median']:8.1f} {of['long_median']:8.1f} {of['ratio']:6.2f} "
            f"{of['long_p95']:8.1f} {BOUNDS[page]:6}{'  beyond' if over else ''}"
        )
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2))
    return 1 if beyond else 0


if __name__ == "__main__":
    sys.exit(main())
