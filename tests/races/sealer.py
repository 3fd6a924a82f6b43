"""One process of a race for the end of the chain: it seals until there is nothing left.

Run by test_sealing.py. Prints `ready`, waits for a line, then prints as JSON how many records it
sealed and how often another process had been first. `prepare COUNT` makes the records.
"""

import sys
from contextlib import nullcontext
from types import SimpleNamespace
from unittest.mock import patch

import orjson
from django.db import IntegrityError, OperationalError, connection

from broadcasts.archive import chain, sealing
from tests.archive.cast import LATER, finished, watch

LIMIT = 5
MANY_COLLISIONS = 20


def unguarded():
    """Return what takes the guard away: the lock, which on SQLite is the transaction itself."""
    guards = {"locked_head": chain.head}
    if connection.vendor == "sqlite":
        guards["transaction"] = SimpleNamespace(atomic=nullcontext)
    return patch.multiple(sealing, **guards)


def seal_all() -> dict[str, int]:
    sealed = collisions = 0
    while collisions < MANY_COLLISIONS:
        try:
            look = sealing.look(LATER, LIMIT)
        except (IntegrityError, OperationalError):
            collisions += 1
            continue
        sealed += look.sealed
        if not look.more:
            break
    return {"sealed": sealed, "collisions": collisions}


def prepare(count: int) -> None:
    for number in range(count):
        finished(number / 10, offered=["a"])
    watch()


if __name__ == "__main__":
    way, *count = sys.argv[1:]
    if way == "prepare":
        sys.exit(prepare(int(count[0])))
    connection.close()
    print("ready", flush=True)
    sys.stdin.readline()
    with unguarded() if way == "unguarded" else nullcontext():
        outcome = seal_all()
    print(orjson.dumps(outcome).decode(), flush=True)
