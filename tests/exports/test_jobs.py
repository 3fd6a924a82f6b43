"""Exports made beside the service: each once, with its progress told, stopped, taken up again."""

import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from broadcasts.exports import jobs, maker, making
from broadcasts.exports.delivery import deliver
from broadcasts.exports.tables import ExportRefused
from broadcasts.exports.verify import verify
from broadcasts.models import AccessEvent, Export
from tests.builders import make_broadcast, make_member

from .cast import Opened, asked_for

pytestmark = pytest.mark.django_db(transaction=True)

State = Export.State


def again(export: Export) -> Export:
    """Return an export as it is on record now."""
    return Export.objects.get(pk=export.pk)


def elsewhere(act):
    """Do something as another process would: over a connection of its own, outside a snapshot."""

    def acted():
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(acted).result()


def test_an_export_that_waits_is_made_and_kept_for_a_while(settings):
    make_broadcast()
    export = asked_for()
    maker.make_due()
    made = again(export)
    path = jobs.path_of(made)
    assert (made.state, made.rows_done, made.rows_total) == (State.DONE, 1, 1)
    assert made.size == path.stat().st_size
    assert made.expires_at - made.finished_at == timedelta(days=settings.EXPORT_KEPT_DAYS)
    assert verify(path).wrong == []
    assert Opened(path.read_bytes()).manifest["id"] == str(export.pk)


def test_nobody_else_on_the_host_can_read_a_package():
    export = asked_for()
    maker.make_due()
    path = jobs.path_of(export)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_that_it_was_made_is_recorded():
    export = asked_for(query={"period": ["7d"]})
    maker.make_due()
    event = AccessEvent.objects.get(kind="export")
    assert (event.who, event.detail["number"]) == ("auditor", str(export.pk))
    assert event.detail["sha256"] == again(export).sha256


def test_of_many_makers_at_the_same_time_one_gets_it():
    export, taken, failed = asked_for(), [], []
    start = threading.Barrier(8)

    def contend():
        try:
            start.wait()
            taken.append(jobs.take())
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    contenders = [threading.Thread(target=contend) for _ in range(8)]
    for one in contenders:
        one.start()
    for one in contenders:
        one.join()
    assert not failed
    assert [one.pk for one in taken if one] == [export.pk]


def test_an_export_in_the_making_is_left_alone():
    asked_for(state=State.RUNNING, started_at=timezone.now(), seen_at=timezone.now())
    assert not maker.is_due()
    assert jobs.take() is None


def test_an_export_whose_maker_was_lost_is_taken_up_and_starts_over():
    make_broadcast()
    past = timezone.now() - jobs.LOST_AFTER - timedelta(seconds=1)
    export = asked_for(state=State.RUNNING, started_at=past, seen_at=past, rows_done=7)
    assert maker.is_due()
    maker.make_due()
    assert (again(export).state, again(export).rows_done) == (State.DONE, 1)


def test_a_maker_that_was_lost_and_comes_back_does_not_finish_what_another_has_begun():
    make_broadcast()
    export = asked_for()
    lost = jobs.take()
    Export.objects.update(seen_at=timezone.now() - 2 * jobs.LOST_AFTER)
    other = jobs.take()
    jobs.run(lost, deliver)
    assert again(export).state == State.RUNNING
    assert again(export).started_at == other.started_at
    assert not jobs.path_of(export).exists()
    jobs.run(other, deliver)
    assert again(export).state == State.DONE


def test_an_export_that_never_comes_to_its_end_is_given_up():
    past = timezone.now() - jobs.GIVEN_UP_AFTER - timedelta(minutes=1)
    export = asked_for(state=State.RUNNING, started_at=past, seen_at=past)
    Export.objects.update(asked_at=past)
    assert jobs.take() is None
    assert again(export).state == State.FAILED
    assert "again and again" in again(export).error


def test_an_export_that_was_cancelled_is_not_made():
    export = asked_for()
    assert jobs.cancel(export)
    maker.make_due()
    assert again(export).state == State.CANCELLED
    assert not jobs.cancel(export)


def test_an_export_that_is_cancelled_in_the_making_stops(monkeypatch):
    monkeypatch.setattr(jobs, "BEAT_SECONDS", 0.01)
    for _ in range(3):
        make_broadcast()
    export = asked_for()
    stopped = threading.Event()
    check = jobs.Heart.check

    def step(heart, rows):
        elsewhere(lambda: jobs.cancel(export))
        while not heart._stop:
            pass
        stopped.set()
        check(heart)

    monkeypatch.setattr(jobs.Heart, "step", step)
    jobs.run(jobs.take(), deliver)
    assert stopped.is_set()
    assert again(export).state == State.CANCELLED
    assert not list(jobs.scratch().iterdir())


def test_how_far_it_is_can_be_seen_while_it_is_made(monkeypatch):
    monkeypatch.setattr(jobs, "BEAT_SECONDS", 0.01)
    make_broadcast()
    export, told = asked_for(), []
    step = jobs.Heart.step

    def watched(heart, rows):
        step(heart, rows)
        while not (seen := elsewhere(lambda: again(export))).rows_done:
            pass
        told.append((seen.rows_done, seen.rows_total, seen.state))

    monkeypatch.setattr(jobs.Heart, "step", watched)
    maker.make_due()
    assert told == [(1, 1, State.RUNNING)]


def test_a_maker_whose_connection_broke_is_heard_of_again(monkeypatch):
    monkeypatch.setattr(jobs, "BEAT_SECONDS", 0.01)
    ours, beats, heard = jobs.ours, [], threading.Event()

    def broken_at_first(export):
        beats.append(export)
        if len(beats) == 1:
            connection.ensure_connection()
            connection.connection.close()
        elif len(beats) == 3:
            heard.set()
        return ours(export)

    asked_for()
    export = jobs.take()
    monkeypatch.setattr(jobs, "ours", broken_at_first)
    with jobs.Heart(export):
        assert heard.wait(10)
    assert again(export).seen_at > export.seen_at


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ExportRefused("There is no such thing."), "There is no such thing."),
        (OSError(28, "No space left on device"), "could not be written: No space left on device"),
        (ZeroDivisionError("secret"), "It could not be made: ZeroDivisionError"),
    ],
)
def test_what_went_wrong_is_said_in_words(monkeypatch, error, words):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(making, "make", fail)
    export = asked_for()
    maker.make_due()
    assert again(export).state == State.FAILED
    assert words in again(export).error
    assert "secret" not in again(export).error
    assert not list(jobs.scratch().iterdir())
    assert not AccessEvent.objects.filter(kind="export")


def test_a_maker_that_is_told_to_end_gives_its_export_back(monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    export = asked_for()
    with monkeypatch.context() as interrupted, pytest.raises(KeyboardInterrupt):
        interrupted.setattr(making, "make", interrupt)
        maker.make_due()
    assert again(export).state == State.WAITING
    maker.make_due()
    assert again(export).state == State.DONE


def test_the_rights_that_count_are_those_at_the_time_it_is_made():
    export = asked_for()
    make_member("auditor").groups.clear()
    maker.make_due()
    assert again(export).state == State.FAILED
    assert "may not export" in again(export).error


def test_what_has_expired_is_removed():
    export = asked_for()
    maker.make_due()
    path = jobs.path_of(export)
    Export.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert maker.is_due()
    maker.make_due()
    assert not Export.objects.exists()
    assert not path.exists()


def test_what_a_dead_maker_has_left_is_removed_in_time(settings):
    old, new = jobs.scratch() / "old.part", jobs.scratch() / "new.part"
    for path in (old, new):
        path.touch()
    past = timezone.now() - timedelta(days=settings.EXPORT_KEPT_DAYS + 2)
    os.utime(old, (past.timestamp(), past.timestamp()))
    jobs.forget_expired()
    assert [path.name for path in jobs.scratch().iterdir()] == ["new.part"]


def test_looking_whether_something_is_due_takes_one_query(django_assert_num_queries):
    assert not maker.is_due()
    asked_for()
    with django_assert_num_queries(1):
        assert maker.is_due()


def test_a_path_never_leaves_the_folder():
    assert jobs.path_of(Export()).parent == Path(jobs.scratch())
