"""Try it: which applications each round of a draft admits, judged by the code of calls."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, islice
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.http import require_POST

from broadcasts.domain.app_filter import compile_filter
from broadcasts.domain.presets import (
    MAX_ROUNDS,
    PresetRefused,
    read_preset_args,
    read_rounds,
)
from broadcasts.models.known import KnownApplication, known_applications

from .presets import RoundsWidget

# Applications that are listed for each round, of those connected and of the others, of those in and
# of those out; what is left is counted.
MOST_LISTED = 100

Round = dict[str, Any]


@require_POST
def try_view(request: HttpRequest) -> JsonResponse:
    """Judge the rounds and arguments of a preset's form, of which nothing is saved.

    Answers what is wrong with the `args` and with all rounds together (`faults`), and for each of
    `rounds` its own `faults`, who is `listed` and the `counts` of all; those are null where the
    filter cannot be used.
    """
    if not may_edit_presets(request):
        raise PermissionDenied
    rounds = RoundsWidget().value_from_datadict(request.POST, {}, "rounds")
    applications = known_applications()
    by_round, others = divided(faults(read_rounds, rounds), len(rounds))
    tried = [
        {"faults": by_round[number], **tried_filter(one, applications)}
        for number, one in enumerate(rounds[:MAX_ROUNDS])
    ]
    args = faults(read_preset_args, request.POST.get("args", ""))
    return JsonResponse({"rounds": tried, "faults": others, "args": args})


def may_edit_presets(request: HttpRequest) -> bool:
    """Whether the visitor may change presets or make some."""
    actions = ("add", "change")
    return any(request.user.has_perm(f"broadcasts.{action}_preset") for action in actions)


def faults(read: Callable[[Any], object], value: object) -> list[str]:
    """Return what a preset would be refused for."""
    try:
        read(value)
    except PresetRefused as refusal:
        return refusal.faults
    return []


def divided(found: Sequence[str], rounds: int) -> tuple[list[list[str]], list[str]]:
    """Return the faults of each round, without its number, and those of no single round."""
    by_round: list[list[str]] = [[] for _ in range(rounds)]
    others = []
    for fault in found:
        place, _, words = fault.partition(": ")
        number = place.removeprefix("round ")
        if words and number.isdecimal():
            by_round[int(number) - 1].append(words)
        else:
            others.append(fault)
    return by_round, others


def tried_filter(one: Round, applications: Sequence[KnownApplication]) -> dict[str, Any]:
    """Return who a round's filter admits: those `listed`, and the `counts` of all."""
    if faults(read_rounds, [{"app_filter": one["app_filter"]}]):
        return {"listed": None, "counts": None}
    admits = compile_filter(one["app_filter"]).admits
    judged = [(application, admits(application.name)) for application in applications]
    return {"listed": list(listed(judged)), "counts": counts(judged)}


def listed(judged: Sequence[tuple[KnownApplication, bool]]) -> Iterator[dict[str, Any]]:
    """Yield the applications to show: who is in and connected now comes first."""
    in_first = sorted(judged, key=lambda pair: (not pair[0].is_connected, not pair[1]))
    for _, alike in groupby(in_first, key=lambda pair: (pair[0].is_connected, pair[1])):
        for application, is_in in islice(alike, MOST_LISTED):
            yield as_listed(application, is_in)


def as_listed(application: KnownApplication, is_in: bool) -> dict[str, Any]:
    seen = application.last_seen
    told = date_format(timezone.localtime(seen), "Y-m-d H:i") if seen else None
    return {"name": application.name, "in": is_in, "seen": told}


def counts(judged: Sequence[tuple[KnownApplication, bool]]) -> dict[str, int]:
    """Return how many of the connected ones and of the others are in, and how many there are."""
    connected = [is_in for application, is_in in judged if application.is_connected]
    others = [is_in for application, is_in in judged if not application.is_connected]
    return {
        "connected_in": sum(connected),
        "connected": len(connected),
        "others_in": sum(others),
        "others": len(others),
    }
