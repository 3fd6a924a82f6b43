"""One broadcast: its photo finish, and the raw facts beneath."""

from itertools import zip_longest
from typing import Any
from urllib.parse import urlencode

import orjson
from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from broadcasts import access
from broadcasts.domain.verdict import Verdict
from broadcasts.history import columns
from broadcasts.history.numbers import part_shown
from broadcasts.models import Broadcast, Candidate, ClaimAttempt
from broadcasts.web.cells import cell
from broadcasts.web.presets import version_links
from broadcasts.web.timeline import VERDICTS, timeline

Row = dict[str, Any]

# Of the many candidates and claims that one broadcast may have: so many are listed at first, and so
# many are read at all.
LISTED = 50
READ = 5000

FACTS = (
    ("Call", ("caller", "caller_name", "called", "context", "channel_name", "channel_id")),
    ("Outcome", ("status", "reason", "stasis_status", "winner", "claim_ms", "talk_ms", "seal")),
    ("Times", ("opened_at", "deadline", "claimed_at", "handed_over_at", "ended_at", "hung_up_at")),
)
# The arguments of the dialplan, in their order, each with the column that tells how it was taken.
ARGUMENTS = ("timeout_ms", "app_filter", "app_args", "notify_claimed")
REACHED_BY = dict(Candidate.ReachedBy.choices)


@require_safe
@never_cache
@login_required
@permission_required(access.MAY_SEE_RECORD, raise_exception=True)
def broadcast(request: HttpRequest, key: int) -> HttpResponse:
    """Show a broadcast; `?all` lists every candidate and claim."""
    row = read(key)
    show = access.show_for(request)
    told = show(row)
    found = Candidate.objects.filter(broadcast=key).values(*columns.CANDIDATE)[:READ]
    candidates = [part_shown(candidate, row, show) for candidate in found]
    claims = ClaimAttempt.objects.filter(broadcast=key).order_by("at", "pk")
    attempts = list(claims.values(*columns.ATTEMPT)[:READ])
    listed = READ if "all" in request.GET else LISTED
    context = {
        "broadcast": told,
        "timeline": timeline(told, candidates, attempts),
        "facts": facts(told),
        "preset": columns.preset_used(told),
        "preset_address": next(iter(version_links(request, [row]).values()), ""),
        "arguments": arguments(told),
        "candidates": answered(candidates, attempts)[:listed],
        "attempts": [{**one, "verdict": VERDICTS[one["verdict"]]} for one in attempts[:listed]],
        "more": max(len(candidates), len(attempts)) > listed,
        "attempt_count": len(attempts),
        "channel": orjson.dumps(told["channel"], option=orjson.OPT_INDENT_2).decode(),
    }
    return render(request, "web/broadcast.html", context)


def read(key: int) -> columns.Row:
    """Return all columns of a broadcast, or answer 404."""
    row = columns.read(Broadcast.objects.filter(pk=key), columns.ALL).first()
    if row is None:
        raise Http404
    return row


def facts(told: Row) -> list[tuple[str, list[tuple[Any, ...]]]]:
    """Return groups of columns, each with its cell and a link to the broadcasts like it."""
    alike = same(told)
    return [(title, [(*fact(key, told), alike.get(key)) for key in keys]) for title, keys in FACTS]


def fact(key: str, told: Row) -> tuple[str, SafeString]:
    """Return a column's label and its cell."""
    column = columns.BY_KEY[key]
    return column.label, cell(column, told)


def same(told: Row) -> dict[str, tuple[str, str]]:
    """Return, by column, how broadcasts with the same value are asked for, and that in words.

    A caller is asked for by the number of this broadcast: theirs stands in no address.
    """
    asked = {"channel_id": ({"same_channel": told["id"]}, "Same channel")}
    if told["caller_number"]:
        asked["caller"] = ({"same_caller": told["id"]}, "Same caller")
    if told["winner"]:
        asked["winner"] = ({"winner": told["winner"]}, "Same winner")
    return {key: (urlencode(query), words) for key, (query, words) in asked.items()}


def arguments(told: Row) -> list[tuple[str, str, SafeString]]:
    """Return each argument of the dialplan: its label, as given, and as understood."""
    given = told["arguments_given"][: len(ARGUMENTS)]
    pairs = zip_longest(ARGUMENTS, given, fillvalue="")
    return [(label, text, value) for key, text in pairs for label, value in [fact(key, told)]]


def answered(candidates: list[Row], attempts: list[Row]) -> list[Row]:
    """Return the candidates, each with its best claim: the one that won, or else the first."""
    best: dict[str, Row] = {}
    for one in attempts:
        if one["verdict"] == Verdict.WON or one["application"] not in best:
            best[one["application"]] = one
    return [
        {
            **candidate,
            "reached_by": REACHED_BY[candidate["reached_by"]],
            "claim": best.get(candidate["application"]),
        }
        for candidate in candidates
    ]
