"""Replay: whom a draft preset would have offered the calls of a period to. Nothing is saved.

The page asks for one slice after the other and adds up what comes of them (replay.js), so it can go
back as far as one likes, shows how far it is and can be stopped. Without its script it is one
request for a limited number of calls.
"""

from collections import Counter
from datetime import UTC, timedelta
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.views.decorators.http import require_POST

from broadcasts.domain.plan import PlannedRound
from broadcasts.domain.presets import PresetRefused, read_rounds
from broadcasts.models.presets import one_open_round
from broadcasts.models.snapshot import read_defaults
from broadcasts.replay import Chosen, Place, Replay, replay, replay_slice

from .presets import RoundsField
from .tools_page import INPUT, server_field, text_field, tool_page
from .tools_try import may_edit_presets

SUMS = ("examined", "changed", "unreached", "lost_winners")
PERIOD = timedelta(days=7)
MINUTES = "%Y-%m-%dT%H:%M"  # As browsers write a local date and time.
# The newest calls of a period, where there is no script.
MOST_BROADCASTS = 20_000
# Applications that are listed as gaining or losing; the others are counted.
MOST_LISTED = 50


def moment_field(label: str) -> forms.DateTimeField:
    widget = forms.DateTimeInput({"type": "datetime-local", "class": INPUT}, format=MINUTES)
    return forms.DateTimeField(label=label, widget=widget)


class ReplayForm(forms.Form):
    """A draft, and the calls to try it on."""

    rounds = RoundsField(label="Draft", initial=one_open_round, required=False)
    start = moment_field("From")
    end = moment_field("To")
    server = server_field("all of them")
    preset = text_field("Only calls that used the preset", "Its name; empty: all calls.")

    def clean_rounds(self) -> Any:
        """Judge the draft as a preset is when it is saved."""
        try:
            return read_rounds(self.cleaned_data["rounds"])
        except PresetRefused as refusal:
            raise ValidationError(refusal.faults) from refusal

    def clean(self) -> dict[str, Any] | None:
        values = super().clean() or self.cleaned_data
        if "start" in values and "end" in values and values["start"] >= values["end"]:
            self.add_error("end", "The period ends before it begins.")
        return values

    def draft(self) -> list[PlannedRound]:
        """Return the rounds; a time-out that is left open is the default of the server."""
        default_ms = read_defaults().in_force(self.chosen().server_id).timeout_ms
        return [
            PlannedRound(one.app_filter, default_ms if one.timeout_ms is None else one.timeout_ms)
            for one in self.cleaned_data["rounds"]
        ]

    def chosen(self) -> Chosen:
        """Return which calls are looked at."""
        values = self.cleaned_data
        server_id = values["server"].pk if values["server"] else None
        return Chosen(values["start"], values["end"], server_id, values["preset"] or None)


def replay_view(request: HttpRequest) -> HttpResponse:
    """Show the form; a POST runs the draft, or takes it over from a preset's own form."""
    if not may_edit_presets(request):
        raise PermissionDenied
    period = last_days()
    form, result = ReplayForm(initial=period), None
    if "rounds-app_filter" in request.POST:
        form = ReplayForm(with_period(request.POST, period))
        if form.is_valid() and "start" in request.POST:
            result = replay(form.draft(), form.chosen(), MOST_BROADCASTS)
    context = {"form": form, "most_listed": MOST_LISTED, **told(result)}
    return tool_page(request, "replay.html", "Replay of a draft", context)


@require_POST
def slice_view(request: HttpRequest) -> JsonResponse:
    """Run the draft over one slice of its calls, from the `place` that the last answer told."""
    if not may_edit_presets(request):
        raise PermissionDenied
    form = ReplayForm(with_period(request.POST, last_days()))
    try:
        place = read_place(request.POST.get("place", ""))
    except (OverflowError, ValueError):
        return JsonResponse({"faults": {"place": ["This is no place in a replay."]}}, status=400)
    if not form.is_valid():
        return JsonResponse({"faults": form.errors}, status=400)
    chosen = form.chosen()
    result = replay_slice(form.draft(), chosen, place)
    place = result.place
    answer = {name: getattr(result, name) for name in (*SUMS, "gains", "losses")}
    return JsonResponse(
        {
            **answer,
            "done": chosen.share_done(place),
            "place": place and f"{place.opened_at.isoformat()} {place.pk}",
            "back_to": place and date_format(timezone.localtime(place.opened_at), "Y-m-d H:i"),
        }
    )


def read_place(text: str) -> Place | None:
    """Return the place that an answer told; None for the beginning.

    Raises:
        ValueError, OverflowError: it is none.
    """
    if not text:
        return None
    moment, _, number = text.partition(" ")
    opened_at = parse_datetime(moment)
    if opened_at is None or timezone.is_naive(opened_at):
        raise ValueError("a place has a moment with its offset")
    return Place(opened_at.astimezone(UTC), int(number))


def last_days() -> dict[str, str]:
    """Return the period that is looked at unless another one is chosen, in local time."""
    now = timezone.localtime()
    start, end = now - PERIOD, now + timedelta(minutes=1)  # What began in this minute counts.
    return {"start": start.strftime(MINUTES), "end": end.strftime(MINUTES)}


def with_period(posted: Any, period: dict[str, str]) -> Any:
    """Return what was posted; a preset's form names no period."""
    data = posted.copy()
    for key, value in period.items():
        data.setdefault(key, value)
    return data


def told(result: Replay | None) -> dict[str, Any]:
    """Return a result as the page shows it; without one its parts are empty and hidden."""
    shown = result or Replay()
    return {
        "result": result,
        "tables": [
            ("gains", "Who gains", "more", *most(shown.gains)),
            ("losses", "Who loses", "fewer", *most(shown.losses)),
        ],
    }


def most(counts: Counter[str]) -> tuple[list[tuple[str, int]], int]:
    """Return the applications that it concerns most, and how many more there are."""
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    return rows[:MOST_LISTED], max(0, len(rows) - MOST_LISTED)
