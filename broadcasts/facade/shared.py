"""What the parts of the facade have in common."""

from dataclasses import dataclass

from broadcasts.broker.broker import Broker

from .claim_door import ClaimDoor
from .credentials import Credentials
from .holders import Holders
from .upstream import Upstreams


@dataclass(frozen=True, slots=True)
class Shared:
    """One of each for the whole facade."""

    broker: Broker
    credentials: Credentials
    upstreams: Upstreams
    holders: Holders
    claims: ClaimDoor
