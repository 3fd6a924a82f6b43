"""Sixteen claimants in four processes want every one of 1,000 broadcasts."""

import subprocess
import sys
from collections import Counter

import orjson
import pytest

from tests.databases import ROOT, database, environment

BROADCASTS = 1000
PROCESSES = 4

engines = pytest.mark.parametrize(
    "engine", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)


def run(url: str, module: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", f"tests.races.{module}", *arguments],
        cwd=ROOT,
        env=environment(url),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def race(url: str, way: str, broadcasts: int) -> Counter[int]:
    """Let all contenders claim every broadcast; returns how often each was won."""
    assert run(url, "prepare", str(broadcasts)).wait() == 0
    contenders = [run(url, "contender", way, f"process{n}") for n in range(PROCESSES)]
    for contender in contenders:
        assert contender.stdout.readline() == "ready\n"
    for contender in contenders:
        contender.stdin.write("go\n")
        contender.stdin.flush()
    won: Counter[int] = Counter()
    for contender in contenders:
        output, _ = contender.communicate()
        assert contender.returncode == 0
        won.update({int(pk): count for pk, count in orjson.loads(output).items()})
    return won


@engines
def test_every_broadcast_is_won_exactly_once(engine, tmp_path):
    with database(engine, tmp_path) as url:
        won = race(url, "guarded", BROADCASTS)
    assert len(won) == BROADCASTS
    assert set(won.values()) == {1}


@engines
def test_without_the_condition_the_race_is_real(engine, tmp_path):
    """The control: the same contest, with a look before the update instead of its condition."""
    with database(engine, tmp_path) as url:
        won = race(url, "unguarded", 100)
    assert max(won.values()) > 1, "the contest is too tame to prove anything"
