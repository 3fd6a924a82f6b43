"""One process of a race for open broadcasts: four threads that claim every one of them.

Run by test_claims.py. Prints `ready`, waits for a line, then prints how many claims of each
broadcast it was told that it had won, as JSON.
"""

import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import orjson
from django.db import connection

from broadcasts.domain.happenings import Claim
from broadcasts.domain.lifecycle import Status
from broadcasts.domain.verdict import Verdict
from broadcasts.ledger import Ledger, TryClaim
from broadcasts.models import Broadcast

THREADS = 4


def claim_by_ledger(rows: list[Broadcast], name: str) -> Counter[int]:
    """Claim as the service does: through a ledger, by conditional update."""
    won: Counter[int] = Counter()
    decided = threading.Semaphore(0)
    ledger = Ledger(lambda outcomes: [done(result) for done, result in outcomes])
    ledger.start()

    def claim(thread: int) -> None:
        for row in rows:
            application = f"{name}-{thread}"

            def done(result, row=row):
                won[row.pk] += getattr(result, "verdict", None) is Verdict.WON
                decided.release()

            ledger.submit(
                TryClaim(Claim(0, application, name, 0.0), row.channel_id, row, done=done)
            )

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(claim, range(THREADS)))
    for _ in range(THREADS * len(rows)):
        decided.acquire()
    ledger.stop()
    return won


def claim_unguarded(rows: list[Broadcast], name: str) -> Counter[int]:
    """Claim as one must not: look whether the row is open, then take it."""
    won: Counter[int] = Counter()
    lock = threading.Lock()

    def claim(thread: int) -> None:
        for row in rows:
            if Broadcast.objects.get(pk=row.pk).status == Status.OPEN:
                Broadcast.objects.filter(pk=row.pk).update(
                    status=Status.CLAIMED, winner=f"{name}-{thread}"
                )
                with lock:
                    won[row.pk] += 1
        connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(claim, range(THREADS)))
    return won


if __name__ == "__main__":
    way, name = sys.argv[1:]
    rows = list(Broadcast.objects.order_by("pk"))
    connection.close()
    print("ready", flush=True)
    sys.stdin.readline()
    won = {"guarded": claim_by_ledger, "unguarded": claim_unguarded}[way](rows, name)
    print(orjson.dumps({str(pk): count for pk, count in won.items()}).decode(), flush=True)
