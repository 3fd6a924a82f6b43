"""Four processes want to append to one chain at once."""

import json

from tests.databases import database, manage
from tests.races.test_claims import PROCESSES, engines, run

BROADCASTS = 100


def race(url: str, way: str) -> list[dict[str, int]]:
    """Let all contenders seal what there is; returns what each of them did."""
    assert run(url, "sealer", "prepare", str(BROADCASTS)).wait() == 0
    contenders = [run(url, "sealer", way) for _ in range(PROCESSES)]
    for contender in contenders:
        assert contender.stdout.readline() == "ready\n"
    for contender in contenders:
        contender.stdin.write("go\n")
        contender.stdin.flush()
    outputs = [contender.communicate()[0] for contender in contenders]
    assert not any(contender.returncode for contender in contenders)
    return [json.loads(output) for output in outputs]


@engines
def test_they_make_one_chain_without_a_gap(engine, tmp_path):
    with database(engine, tmp_path) as url:
        outcomes = race(url, "guarded")
        report = json.loads(manage(url, "verify_record", "--json"))
    assert sum(one["sealed"] for one in outcomes) == BROADCASTS
    assert sum(one["collisions"] for one in outcomes) == 0
    assert report["checked"] == {"broadcast": BROADCASTS}
    assert report["anchor"].startswith(f"{BROADCASTS}:")
    assert report["faults"]["count"] == 0


@engines
def test_without_the_lock_they_get_into_each_others_way(engine, tmp_path):
    """The control: each reads the end of the chain and appends to it, with nobody kept out."""
    with database(engine, tmp_path) as url:
        outcomes = race(url, "unguarded")
    assert sum(one["collisions"] for one in outcomes), "the contest is too tame to prove anything"
