"""What is counted for Prometheus.

The children are bound here, once, so that the hot path only looks one up and increments it.
"""

from prometheus_client import Counter, Histogram

from broadcasts.domain.lifecycle import Status
from broadcasts.domain.verdict import Verdict

_BROADCASTS = Counter("stasis_broadcast_broadcasts", "Broadcasts, by how they ended.", ["outcome"])
_CLAIMS = Counter("stasis_broadcast_claims", "Claim attempts, by verdict.", ["verdict"])

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

broadcasts = {
    status: _BROADCASTS.labels(status.value) for status in Status if status is not Status.OPEN
}
claims = {verdict: _CLAIMS.labels(verdict.value) for verdict in Verdict}
claim_seconds = Histogram(
    "stasis_broadcast_claim_seconds",
    "From the offer to the winning claim's commit.",
    buckets=_SECONDS,
)
handover_seconds = Histogram(
    "stasis_broadcast_handover_seconds",
    "From the offer to the moment the winner had the call.",
    buckets=_SECONDS,
)
