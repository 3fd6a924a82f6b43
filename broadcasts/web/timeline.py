"""The photo finish: what happened to one broadcast, in order, and where it is drawn.

Each interval is drawn by its order of magnitude, so that claims within a millisecond and a talk of
ten minutes can both be read from one picture.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from broadcasts.domain.lifecycle import Status
from broadcasts.domain.verdict import Verdict
from broadcasts.history.filters import STATUS_LABELS
from broadcasts.web.words import duration

Row = dict[str, Any]

# So many claims are drawn; the table beneath has all.
DRAWN = 40

# Percent of the width that is left free at both ends, for the marks.
MARGIN = 2.0
# An interval's width is a piece that even the shortest has, and a piece for each tenfold of this.
SHORTEST_MS = 0.1

VERDICTS = {
    Verdict.WON: "won",
    Verdict.TAKEN: "taken already",
    Verdict.NOT_OFFERED: "was not offered it",
    Verdict.NOT_CONNECTED: "not connected",
    Verdict.NOT_ALLOWED: "not allowed this name",
    Verdict.TIMED_OUT: "after the time-out",
    Verdict.ABANDONED: "after the caller hung up",
    Verdict.FAILED: "after it had failed",
    Verdict.ENDED: "after the session",
    Verdict.UNKNOWN: "unknown channel",
    Verdict.FAULT: "could not be recorded",
}
ENDINGS = {
    Status.CLAIMED: "Winner's session ended",
    Status.OPEN: "Ended",
    **{status: STATUS_LABELS[status] for status in Status if status not in ("open", "claimed")},
}


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. `stage` is what the call is in from then on, "" if unchanged."""

    at: datetime
    kind: str
    title: str
    detail: str = ""
    stage: str = ""
    since_ms: float = 0.0
    x: str = ""
    start: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of the call's way, drawn as a bar."""

    kind: str
    x: str
    width: str
    lasted: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """All that is drawn: moments in order, the call's stages, and how many claims are left out."""

    moments: list[Moment]
    stages: list[Stage]
    guides: list[tuple[str, str]]
    left_out: int


def timeline(broadcast: Row, candidates: list[Row], attempts: list[Row]) -> Timeline:
    """Order what happened and place it on the scale."""
    drawn = worth_drawing(attempts)
    found = [
        *offers(broadcast, candidates),
        *claims(drawn),
        *failures(candidates),
        *endings(broadcast),
    ]
    found.sort(key=lambda moment: moment.at)
    places = scale(moment.at for moment in found)
    offered = [moment.at for moment in found if moment.stage == "offered"]
    placed = [
        replace(
            moment,
            x=f"{places[moment.at]:.2f}%",
            start=f"{places[run_from(moment, offered)]:.2f}%",
            since_ms=(moment.at - broadcast["opened_at"]).total_seconds() * 1000,
        )
        for moment in found
    ]
    guides = [(moment.x, moment.stage) for moment in placed if moment.stage]
    return Timeline(placed, stages(placed, places), guides, len(attempts) - len(drawn))


def worth_drawing(attempts: list[Row]) -> list[Row]:
    """Return the claims that are drawn: those that won, and of the others the first ones."""
    won = [one for one in attempts if one["verdict"] == Verdict.WON]
    others = [one for one in attempts if one["verdict"] != Verdict.WON]
    return won + others[: max(0, DRAWN - len(won))]


def offers(broadcast: Row, candidates: list[Row]) -> Iterator[Moment]:
    """Tell of each round; a broadcast without candidates entered all the same."""
    if not candidates:
        yield Moment(broadcast["opened_at"], "offered", "Entered", "no application", "offered")
        return
    sizes = Counter(candidate["round"] for candidate in candidates)
    for number, size in sorted(sizes.items()):
        at = min(one["offered_at"] for one in candidates if one["round"] == number)
        title = "Offered" if len(sizes) == 1 else f"Round {number} offered"
        many = f"to {size} application{'s' if size > 1 else ''}"
        yield Moment(at, "offered", title, many, "offered")


def claims(attempts: list[Row]) -> Iterator[Moment]:
    """Tell of each claim, its answer, and how far behind the winner it was."""
    for one in attempts:
        verdict = Verdict(one["verdict"])
        behind = one["behind_winner_ms"]
        margin = f", {duration(behind)} behind the winner" if behind else ""
        answered = f"{one['answer']} {VERDICTS[verdict]}{margin}"
        won = verdict is Verdict.WON
        kind = "won" if won else "taken" if verdict is Verdict.TAKEN else "refused"
        yield Moment(one["at"], kind, one["application"], answered, "claimed" if won else "")


def failures(candidates: list[Row]) -> Iterator[Moment]:
    """Tell of the winners that could not take the call, and were followed by another offer."""
    for one in candidates:
        if one["failed_at"]:
            title = f"Hand-over to {one['application']} failed"
            yield Moment(one["failed_at"], "failed", title, one["failure"], "offered")


def endings(broadcast: Row) -> Iterator[Moment]:
    """Tell of the hand-over and of the end."""
    if at := broadcast["handed_over_at"]:
        yield Moment(at, "handed_over", f"Handed over to {broadcast['winner']}", "", "in_call")
    if at := broadcast["ended_at"]:
        title = ENDINGS[Status(broadcast["status"])]
        yield Moment(at, "ended", title, broadcast["reason"], "ended")
    if at := broadcast["hung_up_at"]:
        yield Moment(at, "hung_up", "Hung up", broadcast["hangup_cause_text"], "gone")


def run_from(moment: Moment, offered: list[datetime]) -> datetime:
    """Return where the line toward a claim begins: at the offer before it."""
    if moment.kind not in ("won", "taken", "refused"):
        return moment.at
    return max((at for at in offered if at <= moment.at), default=moment.at)


def scale(times: Iterable[datetime]) -> dict[datetime, float]:
    """Place moments between 0 and 100 percent, each interval by its order of magnitude."""
    ordered = sorted(set(times))
    widths = [1 + math.log10(1 + gap_ms(*pair) / SHORTEST_MS) for pair in pairwise(ordered)]
    room = (100 - 2 * MARGIN) / (sum(widths) or 1)
    places, x = {}, MARGIN
    for at, width in zip(ordered, [*widths, 0], strict=True):
        places[at] = x
        x += width * room
    return places


def gap_ms(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds() * 1000


def stages(moments: list[Moment], places: dict[datetime, float]) -> list[Stage]:
    """Return the stretches between the moments that change what the call is in."""
    turns = [moment for moment in moments if moment.stage]
    return [
        Stage(
            one.stage,
            one.x,
            f"{places[following.at] - places[one.at]:.2f}%",
            duration(gap_ms(one.at, following.at)),
        )
        for one, following in pairwise(turns)
        if following.at > one.at
    ]
