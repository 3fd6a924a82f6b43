"""Exports that are made by a process of their own: taken once, watched, ended.

Whoever takes an export has it by one conditional UPDATE, and says once a second that it is still at
it. Who was not heard of for a while has lost it: somebody else starts over.
"""

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Self

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from broadcasts.models import Export

from . import making
from .tables import ExportRefused
from .workbook import scratch

log = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
LOST_AFTER = timedelta(seconds=30)
GIVEN_UP_AFTER = timedelta(hours=24)

State = Export.State
UNFINISHED = Q(state__in=[State.WAITING, State.RUNNING])


Deliver = Callable[[Export, Path, making.Made], None]


class Stopped(Exception):
    """The export was cancelled, or somebody else has it now."""


def path_of(export: Export) -> Path:
    """Return where an export's package waits for its download."""
    return Path(settings.EXPORTS_DIR) / f"{export.pk}.zip"


def can_be_taken(now: datetime) -> Q:
    """Match what waits for a maker, or whose maker was lost."""
    return Q(state=State.WAITING) | Q(state=State.RUNNING, seen_at__lt=now - LOST_AFTER)


def take() -> Export | None:
    """Return an export that from now on is ours to make; None when there is none."""
    while True:
        now = timezone.now()
        due = Export.objects.filter(can_be_taken(now)).order_by("asked_at")
        export = due.first()
        if export is None:
            return None
        if export.state == State.RUNNING and export.asked_at < now - GIVEN_UP_AFTER:
            end(export, State.FAILED, "It was begun again and again, and never came to its end.")
        elif due.filter(pk=export.pk).update(
            state=State.RUNNING, started_at=now, seen_at=now, rows_done=0
        ):
            export.refresh_from_db()
            return export


def ours(export: Export) -> "Q":
    """Match an export for as long as it has not been cancelled or taken by somebody else."""
    return Q(pk=export.pk, state=State.RUNNING, started_at=export.started_at)


def cancel(export: Export) -> bool:
    """Stop an export that is not finished; its maker notices within a second."""
    return end(export, State.CANCELLED)


def end(
    export: Export, state: State, error: str = "", which: Q = UNFINISHED, **more: object
) -> int:
    """Finish an export in one step, unless that has happened; returns whether it was this one."""
    now = timezone.now()
    ended = Export.objects.filter(which, pk=export.pk).update(
        state=state,
        error=error[:255],
        finished_at=now,
        expires_at=now + timedelta(days=settings.EXPORT_KEPT_DAYS),
        **more,
    )
    return bool(ended)


def run(export: Export, deliver: Deliver, address: str = "") -> None:
    """Make an export that was taken, and finish it one way or the other.

    `address` is where it was asked for from, if it is made while somebody waits for it.
    """
    try:
        with Heart(export) as heart, part_file(export) as part:
            made = write(export, part, heart)
            heart.check()
            # Before it goes out: whatever becomes of us or of it then, that is on record.
            note(export, made, address)
            deliver(export, part, made)
            finish(export, part, made)
    except Stopped:
        log.info("Export %s was stopped", export.pk)
    except ExportRefused as error:
        fail(export, str(error))
    except OSError as error:
        fail(export, f"The package could not be written: {error.strerror or error}.")
    except Exception as error:
        log.exception("Export %s failed", export.pk)
        fail(export, f"It could not be made: {type(error).__name__}. The log says more.")
    except BaseException:
        # Told to end: whoever comes next starts over at once.
        Export.objects.filter(ours(export)).update(state=State.WAITING)
        raise


def write(export: Export, part: Path, heart: "Heart") -> making.Made:
    """Write the package with the rights that its owner has now."""
    tables = making.tables_for(export, export.owner)
    export.rows_total = making.count(tables)
    Export.objects.filter(ours(export)).update(rows_total=export.rows_total)
    with part.open("wb") as out:
        made = making.make(export, export.owner, out, heart.step, str(export.pk))
        out.flush()
        os.fsync(out.fileno())
    return made


def note(export: Export, made: making.Made, address: str) -> None:
    """Put on record that a package was made, and for which schedule."""
    more = {"schedule": export.schedule.name} if export.schedule else {}
    making.note(export, export.owner, made, address, number=str(export.pk), **more)


def finish(export: Export, part: Path, made: making.Made) -> None:
    """Put the package in its place and say that it is there."""
    with transaction.atomic():
        if not end(
            export,
            State.DONE,
            which=ours(export),
            rows_done=made.rows,
            rows_total=made.rows,
            size=made.size,
            sha256=made.sha256,
            needs=made.needs,
        ):
            raise Stopped
        part.replace(path_of(export))


def fail(export: Export, why: str) -> None:
    """Say why an export could not be made, also to the schedule that it was made for."""
    if end(export, State.FAILED, why, which=ours(export)) and export.schedule:
        type(export.schedule).objects.filter(pk=export.schedule.pk).update(last_error=why[:255])


@contextmanager
def part_file(export: Export) -> Iterator[Path]:
    """Yield a file of this process's own that others cannot read, gone at the end."""
    path = scratch() / f"{export.pk}.{os.getpid()}.part"
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


class Heart:
    """Says every second how far an export is, on a thread of its own, and hears whether to stop."""

    def __init__(self, export: Export) -> None:
        self._export = export
        self._rows = 0
        self._stop = False
        self._over = Event()
        self._thread = Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def step(self, rows: int) -> None:
        """Count rows that were written. Raises Stopped."""
        self._rows += rows
        self.check()

    def check(self) -> None:
        """Raise Stopped when the export was cancelled, or is somebody else's."""
        if self._stop:
            raise Stopped

    def _beat(self) -> None:
        """Also without an answer of the database's the package is made: it may be back in time."""
        while not self._over.wait(BEAT_SECONDS):
            try:
                kept = Export.objects.filter(ours(self._export)).update(
                    rows_done=self._rows, seen_at=timezone.now()
                )
                self._stop = not kept
            except (DatabaseError, InterfaceError):
                connection.close()  # It may have failed for good: the next beat has a new one.
        connection.close()


def forget_expired() -> None:
    """Remove the packages whose time is over, and their rows: the accesses tell of them.

    Also what was left in the folder by a maker that died, or by an account that was removed.
    """
    now = timezone.now()
    for export in Export.objects.filter(expires_at__lte=now):
        path_of(export).unlink(missing_ok=True)
        export.delete()
    kept = timedelta(days=settings.EXPORT_KEPT_DAYS + 1)
    for path in scratch().iterdir():
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < (now - kept).timestamp():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
