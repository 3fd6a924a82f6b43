"""manage.py verify_record says whether the record is as it was sealed, and what is not."""

import json

import pytest
from django.core.management import CommandError, call_command

from broadcasts.archive.chain import anchor
from broadcasts.models import Broadcast
from tests.archive.cast import LATER, access, attempt, finished, seal

pytestmark = pytest.mark.django_db


@pytest.fixture
def record():
    finished(0), attempt(1), access(2), finished(10)
    seal()


def outcome(capsys, *arguments) -> tuple[int, str]:
    """Return the exit code of a run and what it printed."""
    try:
        call_command("verify_record", *arguments)
    except CommandError as error:
        return error.returncode, capsys.readouterr().out
    return 0, capsys.readouterr().out


def test_it_tells_what_was_checked_and_the_anchor_to_keep(record, capsys):
    finished(700)
    code, out = outcome(capsys)
    assert code == 0
    assert "Checked 4 seals: access 1, claim attempt without a broadcast 1, broadcast 2\n" in out
    assert "  finished between 2026-03-01 12:00:00 UTC and 2026-03-01 12:00:10 UTC\n" in out
    assert "Everything that was sealed is as it was, and nothing is missing.\n" in out
    assert f"Anchor to keep: {anchor()}\n" in out
    assert "Sealed is what was finished until 2026-03-01 12:09:00 UTC\n" in out
    assert out.endswith("  not yet, so not checked: finished broadcasts 1\n")


def test_it_names_the_first_change_and_counts_the_others(record, capsys):
    Broadcast.objects.update(winner="sales")
    code, out = outcome(capsys)
    assert code == 1
    first, second = Broadcast.objects.order_by("pk")
    lines = out.splitlines()
    assert lines[0] == "NOT AS IT WAS SEALED: 2"
    assert lines[1].startswith(f"  seal 1: the broadcast {first.pk} (channel {first.channel_id}, ")
    assert lines[2].startswith(f"  seal 4: the broadcast {second.pk} ")
    assert "nothing is missing" not in out


def test_it_shows_twenty_and_counts_the_rest(record, capsys):
    for seconds in range(25):
        finished(seconds)
    code, out = outcome(capsys)
    assert code == 1
    assert "NOT AS IT WAS SEALED: 25\n" in out
    assert "  and 5 more\n" in out


def test_what_was_sealed_late_is_told_with_a_code_of_its_own(record, capsys):
    finished(5)
    seal(LATER.replace(hour=13))
    code, out = outcome(capsys)
    assert code == 3
    assert out.startswith("SEALED LATE: written after its time, or put in: 1\n  seal 5: ")


def test_it_compares_with_an_anchor(record, capsys):
    assert outcome(capsys, "--expect", anchor())[0] == 0
    code, out = outcome(capsys, "--expect", f"4:{'0' * 64}")
    assert code == 1
    assert "the chain is another one at seal 4 than it was" in out


@pytest.mark.parametrize(
    "wrong", ["", "4", "4:00", "x:" + "0" * 64, "-1:" + "0" * 64, "4:" + "g" * 64]
)
def test_what_is_no_anchor_is_refused(wrong):
    with pytest.raises(CommandError, match="not NUMBER:CHAINHEX"):
        call_command("verify_record", f"--expect={wrong}")


def test_it_begins_where_it_is_told(record, capsys):
    Broadcast.objects.filter(seal=1).update(winner="sales")
    assert outcome(capsys, "--from", "2")[0] == 0
    with pytest.raises(CommandError, match=r"The chain ends with seal 4\."):
        call_command("verify_record", "--from", "5")


def test_under_another_key_it_asks_for_the_right_one(record, capsys, settings):
    settings.RECORD_KEY = "another key of the record"
    code, out = outcome(capsys)
    assert code == 1
    assert "is RECORD_KEY the one under which the record was sealed?" in out


def test_it_tells_other_programs_the_same(record, capsys):
    Broadcast.objects.filter(seal=4).update(winner="sales")
    code, out = outcome(capsys, "--json")
    report = json.loads(out)
    assert code == 1
    assert report["checked"] == {"access": 1, "attempt": 1, "broadcast": 2}
    assert [one["seal"] for one in report["faults"]["told"]] == [4]
    assert report["anchor"] == anchor()
