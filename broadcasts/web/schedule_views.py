"""Scheduled reports: everybody's own."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from broadcasts.exports import making, rights, schedules, words
from broadcasts.exports.tables import ExportRefused
from broadcasts.models import Schedule
from broadcasts.web.export_forms import Asked, ScheduleForm, as_data, initial
from broadcasts.web.export_views import begun_with, exporting, in_its_zone, saved_filters


@exporting
@require_safe
def schedule_list(request: HttpRequest) -> HttpResponse:
    """List the visitor's own schedules."""
    found = Schedule.objects.filter(owner=request.user)
    listed = [{"row": one, "filter": told(one, request.user)} for one in found]
    return render(request, "web/schedules.html", {"schedules": listed})


def told(schedule: Schedule, person: Any) -> str:
    """Return what a schedule exports, as somebody may see it now."""
    return words.filter_in_words(schedule, rights.in_full_for(person, schedule))


@exporting
@require_http_methods(["GET", "HEAD", "POST"])
def schedule_new(request: HttpRequest) -> HttpResponse:
    """Make a schedule."""
    return edited(request, Schedule(owner=request.user), begun_with(request))


@exporting
@require_http_methods(["GET", "HEAD", "POST"])
def schedule_change(request: HttpRequest, key: int) -> HttpResponse:
    """Change a schedule."""
    schedule = own(request, key)
    return edited(request, schedule, as_data(schedule))


def edited(request: HttpRequest, schedule: Schedule, data: Any) -> HttpResponse:
    """Show the form of a schedule; keep what it holds once that is in order."""
    asks = request.method == "POST"
    asked = Asked(request.POST if asks else data, request.user)
    form = ScheduleForm(
        request.POST if asks else None, instance=schedule, initial=initial_of(request, schedule)
    )
    if asks and form.is_valid() and asked.valid and may_be_made(request, asked):
        keep(form.save(commit=False), asked)
        messages.success(request, f"{schedule.name} is due next at {due(schedule)}.")
        return redirect("web:schedules")
    context = {
        "asked": asked,
        "form": form,
        "schedule": schedule,
        "saved": saved_filters(request),
    }
    with in_its_zone(asked):
        return render(request, "web/schedule.html", context, status=400 if asks else 200)


def initial_of(request: HttpRequest, schedule: Schedule) -> Any:
    return {} if schedule.pk else initial(request.user)


def may_be_made(request: HttpRequest, asked: Asked) -> bool:
    """Whether what is scheduled could be exported now; if not, say why on the page."""
    try:
        making.tables_for(asked.wanted, request.user)
    except ExportRefused as error:
        asked.fault = str(error)
        return False
    return True


def keep(schedule: Schedule, asked: Asked) -> None:
    """Save a schedule with what is to be exported, due from now on."""
    for name in schedules.WANTED:
        setattr(schedule, name, getattr(asked.wanted, name))
    schedule.next_at = schedules.next_of(schedule, timezone.now())
    schedule.save()


def due(schedule: Schedule) -> str:
    """Return when a schedule is due next, by the clock of its zone."""
    at = schedules.next_of(schedule, timezone.now()).astimezone(making.zone_of(schedule))
    return f"{at:%Y-%m-%d %H:%M} ({schedule.zone})"


@exporting
@require_POST
def schedule_pause(request: HttpRequest, key: int) -> HttpResponse:
    """Let a schedule rest, or let it go on from now."""
    schedule = own(request, key)
    schedule.enabled = not schedule.enabled
    schedule.next_at = schedules.next_of(schedule, timezone.now())
    schedule.save(update_fields=["enabled", "next_at"])
    return redirect("web:schedules")


@exporting
@require_POST
def schedule_run(request: HttpRequest, key: int) -> HttpResponse:
    """Make a schedule's export now, besides the times at which it is due."""
    export = schedules.run_now(own(request, key))
    return redirect("web:export", export.pk) if export else redirect("web:schedules")


@exporting
@require_POST
def schedule_delete(request: HttpRequest, key: int) -> HttpResponse:
    """Remove a schedule; what it has made stays."""
    schedule = own(request, key)
    schedule.delete()
    messages.success(request, f"{schedule.name} was removed.")
    return redirect("web:schedules")


def own(request: HttpRequest, key: int) -> Schedule:
    """Return a schedule of the visitor's."""
    return get_object_or_404(Schedule, pk=key, owner=request.user)
