"""Scheduled reports: once each time, with their owner's rights then, brought where wanted."""

import threading
from datetime import UTC, datetime, time, timedelta

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from broadcasts.exports import delivery, jobs, maker, schedules
from broadcasts.models import AccessEvent, Export, Schedule
from tests.builders import make_broadcast, make_member

from .cast import Opened

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr(delivery, "PAUSES", (0.0, 0.0))


def scheduled(**columns) -> Schedule:
    """Make a schedule of an auditor's that was due a minute ago."""
    defaults = {
        "owner": make_member("auditor"),
        "name": "Failed calls",
        "at": time(7),
        "next_at": timezone.now() - timedelta(minutes=1),
        "columns": ["id", "caller"],
        "delivery": Schedule.Delivery.FOLDER,
    }
    return Schedule.objects.create(**{**defaults, **columns})


def again(schedule: Schedule) -> Schedule:
    return Schedule.objects.get(pk=schedule.pk)


def written(settings) -> list:
    return sorted(settings.REPORTS_DIR.iterdir()) if settings.REPORTS_DIR.exists() else []


def test_what_is_due_is_made_and_written_to_the_folder(settings):
    make_broadcast()
    schedule = scheduled(name="Failed / calls: ../../etc")
    assert maker.is_due()
    maker.make_due()
    (path,) = written(settings)
    assert path.parent == settings.REPORTS_DIR
    assert path.name.startswith(f"failed-calls-etc-{schedule.pk}-")
    assert len(Opened(path.read_bytes()).csv()) == 2
    assert again(schedule).last_error == ""
    assert again(schedule).next_at > timezone.now()
    assert not maker.is_due()


@pytest.mark.parametrize("name", ["", "///", "日報", "a" * 80, "con\x00trol"])
def test_any_name_makes_a_safe_file(name):
    schedule = Schedule(pk=7, name=name)
    export = Export(schedule=schedule, started_at=datetime(2026, 7, 1, 7, tzinfo=UTC))
    file = delivery.file_name(export)
    assert file.endswith("-7-2026-07-01T070000.zip")
    assert file.isascii()
    assert "/" not in file
    assert "\x00" not in file
    assert not file.startswith(".")


def test_what_is_not_due_or_paused_is_left_alone():
    scheduled(next_at=timezone.now() + timedelta(minutes=1))
    scheduled(enabled=False)
    assert not maker.is_due()
    maker.make_due()
    assert not Export.objects.exists()


def test_of_many_that_look_at_the_same_time_one_starts_it():
    schedule, failed = scheduled(), []
    barrier = threading.Barrier(6)

    def contend():
        try:
            seen = Schedule.objects.select_related("owner").get(pk=schedule.pk)
            barrier.wait()
            schedules.start(seen, timezone.now())
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    contenders = [threading.Thread(target=contend) for _ in range(6)]
    for one in contenders:
        one.start()
    for one in contenders:
        one.join()
    assert not failed
    assert Export.objects.count() == 1


def test_what_was_missed_for_days_is_made_up_for_once(settings):
    schedule = scheduled(next_at=timezone.now() - timedelta(days=10))
    maker.make_due()
    maker.make_due()
    assert len(written(settings)) == 1
    assert timezone.now() < again(schedule).next_at <= timezone.now() + timedelta(days=1)


def test_a_relative_period_counts_from_the_run(settings):
    make_broadcast(opened_at=timezone.now() - timedelta(days=8))
    new = make_broadcast()
    scheduled(query={"period": ["7d"]}, header="none", columns=["id"])
    maker.make_due()
    assert Opened(written(settings)[0].read_bytes()).csv() == [[str(new.pk)]]


def test_an_owner_who_may_not_export_any_more_gets_nothing_and_is_told(settings):
    schedule = scheduled()
    schedule.owner.groups.clear()
    maker.make_due()
    assert written(settings) == []
    assert again(schedule).last_error == "It was not made: auditor may not export this any more."
    assert again(schedule).next_at > timezone.now()


def test_an_owner_whose_account_was_closed_gets_nothing(settings):
    schedule = scheduled()
    schedule.owner.is_active = False
    schedule.owner.save()
    maker.make_due()
    assert written(settings) == []
    assert "is not active any more" in again(schedule).last_error


def test_an_owner_who_may_not_see_numbers_any_more_gets_them_masked(settings):
    make_broadcast(caller_number="+15551234567")
    schedule = scheduled(unmasked=True, columns=["caller"], header="none")
    maker.make_due()
    assert Opened(written(settings)[0].read_bytes()).csv() == [["+15551234567"]]
    group = schedule.owner.groups.get()
    group.permissions.remove(group.permissions.get(codename="unmask_numbers"))
    schedules.run_now(again(schedule))
    maker.make_due()
    last = max(written(settings), key=lambda path: path.stat().st_mtime_ns)
    assert Opened(last.read_bytes()).csv() == [["•••4567"]]


def test_reports_are_scheduled_like_the_record(settings):
    make_broadcast()
    scheduled(kind="reports", columns=[], query={"period": ["7d"]})
    maker.make_due()
    assert "outcomes.csv" in Opened(written(settings)[0].read_bytes()).zip.namelist()


def test_a_small_package_is_mailed_with_what_it_is_in_words():
    make_broadcast()
    scheduled(delivery="mail", recipients="Ada <ada@example.org>, bo@example.org")
    maker.make_due()
    (sent,) = mail.outbox
    assert sent.to == ["ada@example.org", "bo@example.org"]
    assert sent.subject == "Stasis Broadcast: Failed calls"
    assert "Period: Last 7 days" in sent.body
    ((name, content, kind),) = sent.attachments
    assert (kind, name.endswith(".zip")) == ("application/zip", True)
    assert Opened(content).manifest["made_for"] == "auditor"


def test_an_export_that_is_mailed_twice_has_the_same_message_id_both_times(monkeypatch, settings):
    settings.DEFAULT_FROM_EMAIL = "Calls <calls@example.org>"
    scheduled(delivery="mail", recipients="ada@example.org")
    with monkeypatch.context() as dying, pytest.raises(KeyboardInterrupt):
        dying.setattr(jobs, "finish", die)
        maker.make_due()
    maker.make_due()
    export = Export.objects.get()
    sent = [one.message()["Message-ID"] for one in mail.outbox]
    assert sent == [f"<export-{export.pk}@example.org>"] * 2


def die(*_, **__):
    raise KeyboardInterrupt


def test_a_package_that_went_out_is_on_record_though_it_was_cancelled_meanwhile(monkeypatch):
    send = delivery.EmailMessage.send

    def sent(self):
        send(self)
        assert jobs.cancel(Export.objects.get())

    monkeypatch.setattr(delivery.EmailMessage, "send", sent)
    scheduled(delivery="mail", recipients="ada@example.org")
    maker.make_due()
    export, (event,) = Export.objects.get(), AccessEvent.objects.filter(kind="export")
    assert (export.state, len(mail.outbox)) == (Export.State.CANCELLED, 1)
    assert (event.who, event.detail["number"]) == ("auditor", str(export.pk))
    assert event.detail["schedule"] == "Failed calls"


def test_a_large_package_is_mailed_as_its_manifest_and_where_to_fetch_it(monkeypatch, settings):
    monkeypatch.setattr(delivery, "MOST_ATTACHED", 10)
    settings.PUBLIC_URL = "https://broadcast.example.org/"
    scheduled(delivery="mail", recipients="ada@example.org")
    maker.make_due()
    export = Export.objects.get()
    assert f"https://broadcast.example.org/exports/{export.pk}/" in mail.outbox[0].body
    ((name, content, _),) = mail.outbox[0].attachments
    assert name == "manifest.json"
    assert '"rows": 0' in content
    assert jobs.path_of(export).exists()


def test_a_mail_that_cannot_be_sent_is_tried_again_and_then_told(monkeypatch):
    tries = []

    def refuse(self):
        tries.append(self)
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    schedule = scheduled(delivery="mail", recipients="ada@example.org")
    maker.make_due()
    assert len(tries) == 3
    assert "could not be sent" in again(schedule).last_error
    assert Export.objects.get().state == "failed"
    assert again(schedule).next_at > timezone.now()


def test_the_next_time_that_works_clears_the_error():
    schedule = scheduled(last_error="The mail could not be sent.")
    maker.make_due()
    assert again(schedule).last_error == ""


def test_a_folder_that_cannot_be_written_is_told(settings, tmp_path):
    settings.REPORTS_DIR = tmp_path / "file"
    settings.REPORTS_DIR.touch()
    schedule = scheduled()
    maker.make_due()
    assert "could not be written" in again(schedule).last_error


def test_a_filter_that_no_longer_works_is_told():
    schedule = scheduled(query={"server": ["gone"]})
    maker.make_due()
    assert "Server" in again(schedule).last_error


def test_running_it_now_leaves_the_next_time_as_it_is():
    schedule = scheduled(next_at=timezone.now() + timedelta(days=1))
    before = again(schedule).next_at
    assert schedules.run_now(schedule)
    assert again(schedule).next_at == before
