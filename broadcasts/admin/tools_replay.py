"""Replay: whom a draft preset would have offered the calls of a period to. Nothing is saved."""

from collections import Counter
from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from broadcasts.domain.plan import PlannedRound
from broadcasts.domain.presets import PresetRefused, read_rounds
from broadcasts.models.presets import one_open_round
from broadcasts.models.snapshot import read_call_configuration
from broadcasts.replay import MOST_BROADCASTS, Replay, replay

from .presets import RoundsField
from .tools_page import INPUT, server_field, text_field, tool_page
from .tools_try import may_edit_presets

PERIOD = timedelta(days=7)
MINUTES = "%Y-%m-%dT%H:%M"  # As browsers write a local date and time.
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

    def replay(self) -> Replay:
        """Run the draft; a time-out that it leaves open is the default of the server."""
        values = self.cleaned_data
        server_id = values["server"].pk if values["server"] else None
        default_ms = read_call_configuration().in_force(server_id).timeout_ms
        rounds = [
            PlannedRound(one.app_filter, default_ms if one.timeout_ms is None else one.timeout_ms)
            for one in values["rounds"]
        ]
        preset = values["preset"] or None
        start, end = values["start"], values["end"]
        return replay(rounds, start, end, server_id=server_id, preset_name=preset)


def replay_view(request: HttpRequest) -> HttpResponse:
    """Show the form; a POST runs the draft, be it of this page or of a preset's own form."""
    if not may_edit_presets(request):
        raise PermissionDenied
    period = last_days()
    form = ReplayForm(initial=period)
    context: dict[str, Any] = {"most": MOST_BROADCASTS}
    if "rounds-app_filter" in request.POST:
        form = ReplayForm(with_period(request.POST, period))
        if form.is_valid():
            context |= told(form.replay())
    return tool_page(request, "replay.html", "Replay of a draft", {**context, "form": form})


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


def told(result: Replay) -> dict[str, Any]:
    """Return a result as the page shows it."""
    return {
        "result": result,
        "tables": [
            ("Who gains", "more", *most(result.gains)),
            ("Who loses", "fewer", *most(result.losses)),
        ],
    }


def most(counts: Counter[str]) -> tuple[list[tuple[str, int]], int]:
    """Return the applications that it concerns most, and how many more there are."""
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    return rows[:MOST_LISTED], max(0, len(rows) - MOST_LISTED)
