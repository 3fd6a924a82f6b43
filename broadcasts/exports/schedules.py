"""Exports that are made again and again, each with its owner's rights at that time."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from broadcasts.domain.recurrence import next_after
from broadcasts.models import Export, Schedule, Wanted

from . import rights

WANTED = [field.name for field in Wanted._meta.get_fields()]


def next_of(schedule: Schedule, after: datetime) -> datetime:
    """Return when a schedule is due next, by the clock of its zone."""
    zone = ZoneInfo(schedule.zone)
    return next_after(after, schedule.every, schedule.day, schedule.at, zone)


def start_due() -> None:
    """Ask for an export for each schedule that is due, once however many look at the same time.

    What was missed while nobody looked is made up for by one.
    """
    now = timezone.now()
    for schedule in Schedule.objects.filter(enabled=True, next_at__lte=now).select_related("owner"):
        start(schedule, now)


def start(schedule: Schedule, now: datetime) -> None:
    """Move a schedule that is due on and, if that was us, ask for its export."""
    due = Schedule.objects.filter(pk=schedule.pk, enabled=True, next_at=schedule.next_at)
    with transaction.atomic():
        if due.update(next_at=next_of(schedule, now), last_at=now):
            ask(schedule)


def run_now(schedule: Schedule) -> Export | None:
    """Ask for a schedule's export besides the times at which it is due."""
    with transaction.atomic():
        Schedule.objects.filter(pk=schedule.pk).update(last_at=timezone.now())
        return ask(schedule)


def ask(schedule: Schedule) -> Export | None:
    """Ask for an export as scheduled; who may not have it any more is told so in the schedule."""
    owner = schedule.owner
    if not rights.may_export(owner, schedule.kind):
        why = "is not active any more" if not owner.is_active else "may not export this any more"
        error = f"It was not made: {owner.get_username()} {why}."
        Schedule.objects.filter(pk=schedule.pk).update(last_error=error[:255])
        return None
    wanted = {name: getattr(schedule, name) for name in WANTED}
    return Export.objects.create(owner=owner, schedule=schedule, **wanted)
