"""The writer thread: groups, order, and what it does when the database is away."""

import threading
import time

import pytest
from django.db import IntegrityError, OperationalError

from broadcasts.domain.happenings import Claim
from broadcasts.domain.lifecycle import Status
from broadcasts.domain.verdict import Verdict
from broadcasts.ledger import (
    Attempt,
    Ending,
    HandedOver,
    Ledger,
    Opening,
    SessionEnd,
    TryClaim,
)
from broadcasts.ledger import ledger as ledger_module
from broadcasts.ledger.entries import LedgerError, moment
from broadcasts.models import Broadcast

pytestmark = pytest.mark.django_db(transaction=True)

ROW = Broadcast(pk=1, channel_id="1.1")


class Database:
    """Stands in for Commit: takes groups, or fails as a real database does."""

    def __init__(self):
        self.groups: list[list] = []
        self.away = False
        self.refused = 0
        self.poison: object = None
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self):
        return self

    def apply(self, group):
        self.gate.wait()
        if self.away:
            self.refused += 1
            raise OperationalError("the server closed the connection")
        if self.poison in group:
            raise IntegrityError("no such broadcast")
        self.groups.append(group)
        return [(entry.done, "written") for entry in group]

    @property
    def written(self):
        return [entry for group in self.groups for entry in group]


class Teller:
    """Collects what the ledger delivers, as the event loop would."""

    def __init__(self):
        self.results: list = []
        self.arrived = threading.Condition()

    def deliver(self, outcomes):
        with self.arrived:
            for done, result in outcomes:
                done(result)
            self.arrived.notify_all()

    def note(self, name):
        return lambda result: self.results.append((name, result))

    def wait_for(self, count):
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.results) >= count, timeout=20)


@pytest.fixture
def database(monkeypatch):
    database = Database()
    monkeypatch.setattr(ledger_module, "Commit", database)
    monkeypatch.setattr(ledger_module, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(ledger_module, "RETRY_SECONDS", 0.05)
    return database


@pytest.fixture
def teller():
    return Teller()


@pytest.fixture
def ledger(database, teller):
    ledger = Ledger(teller.deliver)
    ledger.start()
    yield ledger
    database.away = False
    ledger.stop()


def wait_until(condition) -> None:
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    assert condition()


def claim(teller, name) -> TryClaim:
    return TryClaim(Claim(1, name, "user", 0.0), "1.1", ROW, done=teller.note(name))


def ending(teller, name) -> Ending:
    return Ending(ROW, Status.TIMED_OUT, name, 0.0, teller.note(name))


def test_what_waits_during_a_commit_is_committed_together(ledger, database, teller):
    database.gate.clear()
    names = [str(number) for number in range(50)]
    for name in names:
        ledger.submit(claim(teller, name))
    database.gate.set()
    teller.wait_for(50)
    assert len(database.groups) <= 2
    assert [name for name, _ in teller.results] == names, "results come in the order of entries"


def test_an_entry_that_spoils_its_group_costs_only_itself(ledger, database, teller):
    database.gate.clear()
    entries = [claim(teller, name) for name in "abc"]
    database.poison = entries[1]
    for entry in entries:
        ledger.submit(entry)
    database.gate.set()
    teller.wait_for(3)
    results = dict(teller.results)
    assert (results["a"], results["c"]) == ("written", "written")
    assert isinstance(results["b"], LedgerError)


def test_while_the_database_is_away_whoever_waits_is_told(ledger, database, teller):
    database.away = True
    ledger.submit(claim(teller, "a"))
    teller.wait_for(1)
    assert isinstance(teller.results[0][1], LedgerError)
    assert database.written == []


def test_what_has_happened_is_written_once_the_database_is_back(ledger, database, teller):
    database.away = True
    owed = [ending(teller, "ended"), Attempt(Claim(1, "a", "u", 0.0), Verdict.TAKEN, "1.1", ROW)]
    for entry in owed:
        ledger.submit(entry)
    teller.wait_for(1)
    database.away = False
    wait_until(lambda: database.written == owed)
    assert ledger.owed == 0
    assert len(teller.results) == 1, "nobody is told twice"


def test_a_call_that_comes_while_the_database_is_away_is_recorded_as_failed(
    ledger, database, teller
):
    database.away = True
    row = Broadcast(pk=None, channel_id="1.2", opened_at=moment(1e9))
    opening = Opening(row, ("a",), "socket", done=teller.note("opened"))
    ledger.submit(opening)
    teller.wait_for(1)
    database.away = False
    wait_until(lambda: database.written == [opening])
    assert (row.status, row.stasis_status, row.ended_at) == (Status.FAILED, "FAILED", moment(1e9))


def test_notes_of_a_call_stay_in_their_order_whatever_is_owed(ledger, database, teller):
    database.away = True
    ledger.submit(first := HandedOver(ROW, 1.0))
    ledger.submit(ending(teller, "ended"))
    teller.wait_for(1)
    database.gate.clear()
    database.away = False
    ledger.submit(second := SessionEnd(ROW, 2.0))
    ledger.submit(claim(teller, "a"))
    database.gate.set()
    wait_until(lambda: second in database.written)
    assert database.written.index(first) < database.written.index(second)


def test_a_passing_fault_is_not_noticed_by_anybody(ledger, database, teller, monkeypatch):
    monkeypatch.setattr(ledger_module, "PATIENCE_SECONDS", 20)
    database.away = True
    ledger.submit(claim(teller, "a"))
    threading.Timer(0.1, lambda: setattr(database, "away", False)).start()
    teller.wait_for(1)
    assert teller.results == [("a", "written")]


def test_stopping_writes_what_is_waiting(database, teller):
    ledger = Ledger(teller.deliver)
    ledger.start()
    database.gate.clear()
    for name in "abc":
        ledger.submit(claim(teller, name))
    threading.Timer(0.05, database.gate.set).start()
    ledger.stop()
    assert [name for name, _ in teller.results] == ["a", "b", "c"]


def attempts(count) -> list[Attempt]:
    claims = (Claim(number, f"app{number}", "u", 0.0) for number in range(count))
    return [Attempt(claim, Verdict.TAKEN, "1.1", ROW) for claim in claims]


def test_what_is_owed_stays_in_its_order_however_long_the_database_is_away(
    ledger, database, teller
):
    database.away = True
    owed = attempts(3 * ledger_module.GROUP_LIMIT)
    for entry in owed:
        ledger.submit(entry)
    wait_until(lambda: ledger.owed == len(owed))
    refused = database.refused
    wait_until(lambda: database.refused > refused + 1)
    database.away = False
    wait_until(lambda: ledger.owed == 0)
    wait_until(lambda: database.written == owed)


def test_stopping_writes_all_that_is_owed(database, teller, monkeypatch):
    monkeypatch.setattr(ledger_module, "RETRY_SECONDS", 60)
    ledger = Ledger(teller.deliver)
    ledger.start()
    database.away = True
    owed = attempts(3 * ledger_module.GROUP_LIMIT)
    for entry in owed:
        ledger.submit(entry)
    wait_until(lambda: ledger.owed == len(owed))
    database.away = False
    ledger.stop()
    assert database.written == owed
