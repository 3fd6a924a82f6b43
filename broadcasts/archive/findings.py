"""What a verification found, in words that somebody understands who did not write the service."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from broadcasts.models import Seal

# So many are told one by one; what comes after is counted.
TOLD = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was sealed, and the number of the seal that shows it, if any.

    `count`: how many records or seals it is about.
    """

    what: str
    seal: int | None = None
    count: int = 1


@dataclass(slots=True)
class Findings:
    """The first ones that were found, and how many there were."""

    count: int = 0
    told: list[Finding] = field(default_factory=list)

    def add(self, finding: Finding) -> None:
        self.count += finding.count
        if len(self.told) < TOLD:
            self.told.append(finding)


@dataclass(slots=True)
class Report:
    """What was checked, and what came of it; `held` is how many seals themselves were genuine."""

    faults: Findings = field(default_factory=Findings)
    late: Findings = field(default_factory=Findings)
    checked: Counter[str] = field(default_factory=Counter)
    held: int = 0
    earliest: datetime | None = None
    latest: datetime | None = None
    anchor: str = ""
    removed_through: int = 0
    sealed_until: datetime | None = None
    unsealed: dict[str, int] = field(default_factory=dict)

    def count(self, seal: Seal) -> None:
        """Count a seal that was looked at."""
        self.checked[seal.kind] += 1
        self.earliest = min(self.earliest or seal.finished_at, seal.finished_at)
        self.latest = max(self.latest or seal.finished_at, seal.finished_at)


def moment(at: datetime | None) -> str:
    """Return a time as auditors can compare it: UTC, to the second."""
    return "never" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def subject_of(seal: Seal) -> str:
    """Return what a seal says of its record, which may be gone."""
    return f"the {Seal.Kind(seal.kind).label} {seal.subject}, finished {moment(seal.finished_at)}"


def described(kind: str, row: Mapping[str, Any]) -> str:
    """Return which record a row is, without anybody's number."""
    if kind == Seal.Kind.BROADCAST:
        return (
            f"the broadcast {row['id']} (channel {row['channel_id']}, opened "
            f"{moment(row['opened_at'])}, ended {moment(row['ended_at'])})"
        )
    if kind == Seal.Kind.ATTEMPT:
        return (
            f"the claim attempt {row['id']} (by {row['application']} for channel "
            f"{row['channel_id']}, {moment(row['at'])})"
        )
    return f"the access {row['id']} ({row['who'] or 'nobody'}: {row['kind']}, {moment(row['at'])})"


def spanning(first: int, last: int) -> str:
    return f"seal {first} is" if first == last else f"seals {first} to {last} are"
