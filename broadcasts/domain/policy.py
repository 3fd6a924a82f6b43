"""How a broadcast behaves where native leaves no choice."""

from dataclasses import dataclass
from enum import StrEnum


class OnFailedHandover(StrEnum):
    """What becomes of a call whose winner cannot take it."""

    OFFER_AGAIN = "offer_again"
    RETURN = "return"


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that one broadcast is arbitrated under.

    `any_name_may_claim` and `bad_filter_admits_all` restore native's behaviour; `rescue` treats a
    winner whose socket is lost while it holds the call like one that could not take it.
    `handover_ms` is how long a winner may take to appear, in milliseconds.
    """

    on_failed_handover: OnFailedHandover = OnFailedHandover.OFFER_AGAIN
    handover_ms: int = 5000
    rescue: bool = False
    any_name_may_claim: bool = False
    bad_filter_admits_all: bool = False
