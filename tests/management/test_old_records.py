"""manage.py remove_old_records and pseudonymise: what the service does daily, by hand."""

import pytest
from django.core.management import CommandError, call_command

from broadcasts.models import AccessEvent, Broadcast, RetentionNote, Seal
from tests.archive.cast import access, attempt, faults, finished, seal

pytestmark = pytest.mark.django_db

COMMANDS = [("remove_old_records", "RETENTION_DAYS"), ("pseudonymise", "PSEUDONYMISE_DAYS")]
commands = pytest.mark.parametrize(("command", "setting"), COMMANDS)


@pytest.fixture
def record():
    finished(0), attempt(1), access(2), finished(10)
    seal()


def test_old_records_are_removed_and_the_note_says_by_whom(record, capsys):
    call_command("remove_old_records", "--older-than", "1")
    told = "2 broadcasts, 4 candidates, 5 claim attempts, 1 accesses"
    assert capsys.readouterr().out == f"Has removed {told}.\n"
    assert RetentionNote.objects.get().by.endswith(", by command")
    assert not Broadcast.objects.exists()
    assert not faults()


def test_where_the_chain_is_broken_nothing_is_removed_unless_told(record, capsys):
    Seal.objects.filter(number=3).update(digest=bytes(16))
    with pytest.raises(CommandError, match=r"^Has removed nothing; then the chain does not hold"):
        call_command("remove_old_records", "--older-than", "1")
    assert Broadcast.objects.count() == 2
    call_command("remove_old_records", "--older-than", "1", "--unverified")
    assert not Broadcast.objects.exists()
    assert AccessEvent.objects.get(kind="retention").detail["unverified"] is True


def test_numbers_are_replaced(record, capsys):
    call_command("pseudonymise", "--older-than", "1")
    assert capsys.readouterr().out == "Has put pseudonyms into 2 broadcasts.\n"
    assert Broadcast.objects.filter(pseudonymised=True).count() == 2
    assert not faults()


@commands
def test_a_dry_run_tells_how_many_and_changes_nothing(record, command, setting, capsys):
    before = list(Broadcast.objects.values()), AccessEvent.objects.count()
    call_command(command, "--older-than", "1", "--dry-run")
    out = capsys.readouterr().out
    assert out.startswith("Would have ")
    assert "2" in out
    assert (list(Broadcast.objects.values()), AccessEvent.objects.count()) == before


@commands
def test_the_setting_says_how_old_unless_told(record, command, setting, settings, capsys):
    setattr(settings, setting, 36_500)
    call_command(command, "--dry-run")
    assert "2" not in capsys.readouterr().out
    setattr(settings, setting, 1)
    call_command(command, "--dry-run")
    assert "2" in capsys.readouterr().out


@commands
def test_without_a_limit_nothing_is_done(record, command, setting, settings):
    setattr(settings, setting, 0)
    with pytest.raises(CommandError, match=f"Say --older-than DAYS, or set {setting}"):
        call_command(command)


@commands
@pytest.mark.parametrize("wrong", ["0", "-1", "1.5", "many", "36501", "9" * 5000])
def test_what_is_no_number_of_days_is_refused(record, command, setting, wrong):
    with pytest.raises(CommandError, match="takes a number of days from 1 to 36500"):
        call_command(command, f"--older-than={wrong}")
    assert Broadcast.objects.count() == 2
