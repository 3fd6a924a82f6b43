"""A process that has seen the chain seals nothing once somebody has taken it back."""

import pytest

from broadcasts.archive import watch
from broadcasts.archive.chain import Broken
from broadcasts.archive.retention import Removal
from broadcasts.archive.sealing import look
from broadcasts.archive.watch import Watch
from broadcasts.models import Broadcast, ChainHead, RetentionNote, Seal
from tests.archive.cast import LATER, at, faults, finished, seal

pytestmark = pytest.mark.django_db


@pytest.fixture
def watching(monkeypatch) -> Watch:
    """A process that has seen the chain up to seal 3."""
    monkeypatch.setattr(watch, "look", lambda: look(LATER))
    for seconds in range(3):
        finished(seconds)
    seal()
    watching = Watch()
    watching.look()
    return watching


def take_back(number: int) -> None:
    """Do what makes the service seal anew what was sealed behind a number."""
    last = Seal.objects.filter(number=number).first()
    Seal.objects.filter(number__gt=number).delete()
    Broadcast.objects.filter(seal__gt=number).update(seal=None)
    chain = bytes(last.chain) if last else bytes(32)
    ChainHead.objects.update(number=number, chain=chain, horizon=None)


def test_what_comes_is_sealed_as_ever(watching):
    finished(100)
    assert watching.look().sealed == 1
    assert watching.look().sealed == 0


@pytest.mark.parametrize("number", [0, 1, 2])
def test_what_was_sealed_is_not_sealed_anew_as_something_else(watching, number):
    take_back(number)
    Broadcast.objects.update(winner="forged")
    for _ in range(2):
        with pytest.raises(Broken, match="not what it was at seal 3: it was forged"):
            watching.look()
    assert Seal.objects.count() == number


def test_nor_is_a_chain_gone_on_with_that_others_have_sealed_anew(watching):
    take_back(1)
    Broadcast.objects.update(winner="forged")
    finished(100)
    look(LATER)
    assert len(faults()) == 1, "the one before; nothing else in the database tells of it"
    with pytest.raises(Broken):
        watching.look()


def test_what_the_retention_takes_is_not_taken_back(watching):
    Removal(at(50), "somebody").step()
    finished(100)
    assert watching.look().sealed == 1
    assert not faults()


def test_what_is_removed_without_a_genuine_note_is(watching):
    finished(100)
    Removal(at(50), "somebody").step()
    RetentionNote.objects.update(signature=bytes(64))
    with pytest.raises(Broken):
        watching.look()
