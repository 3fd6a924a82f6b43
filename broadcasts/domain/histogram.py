"""Counts of durations from which percentiles are read, however many durations there were.

Each bucket is wider than the one before by the same factor, so a percentile is within
RELATIVE_ERROR of the value at its rank; what is shorter than LEAST_MS counts as that. Histograms
add up: that of a month is the sum of its hours'.

What is kept of one is packed: the number of the first bucket, and how many fell into it and into
each that follows. Hundreds of lists add up in a fraction of the time that as many mappings take.
"""

import math
from collections.abc import Iterable, Mapping
from itertools import zip_longest

RELATIVE_ERROR = 0.02
LEAST_MS = 0.001

_FACTOR = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_LOG_FACTOR = math.log(_FACTOR)

# A number of values by bucket.
Buckets = Mapping[int, int]


def bucket_of(milliseconds: float) -> int:
    """Return the bucket of a duration: number n takes what is above factor^(n-1), to factor^n."""
    return math.ceil(math.log(max(milliseconds, LEAST_MS)) / _LOG_FACTOR)


def packed(buckets: Buckets) -> list[int]:
    """Return buckets as they are kept; of none nothing."""
    if not buckets:
        return []
    first, last = min(buckets), max(buckets)
    return [first, *(buckets.get(bucket, 0) for bucket in range(first, last + 1))]


def added_up(kept: Iterable[list[int]]) -> dict[int, int]:
    """Return the buckets of packed histograms together, without those that nothing fell into."""
    some = [one for one in kept if one]
    first = min((one[0] for one in some), default=0)
    aligned = ([0] * (one[0] - first) + one[1:] for one in some)
    counts = map(sum, zip_longest(*aligned, fillvalue=0))
    return {bucket: count for bucket, count in enumerate(counts, first) if count}


class Histogram:
    """How many durations fell into each bucket."""

    __slots__ = ("buckets",)

    def __init__(self, buckets: Buckets | None = None) -> None:
        self.buckets = dict(buckets or {})

    def __len__(self) -> int:
        return sum(self.buckets.values())

    def add(self, milliseconds: float) -> None:
        bucket = bucket_of(milliseconds)
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1

    def merge(self, buckets: Buckets) -> None:
        """Add what another histogram has counted."""
        counted = self.buckets
        for bucket, count in buckets.items():
            counted[bucket] = counted.get(bucket, 0) + count

    def percentile(self, share: float) -> float | None:
        """Return, in ms, what a `share` (0 to 1) of the durations do not exceed; None of none."""
        bucket = self._bucket_at(share)
        return None if bucket is None else 2 * _FACTOR**bucket / (_FACTOR + 1)

    def least(self, share: float) -> float | None:
        """Return where the percentile's bucket begins: no duration at its rank is shorter."""
        bucket = self._bucket_at(share)
        return None if bucket is None else math.floor(_FACTOR ** (bucket - 1) * 1000) / 1000

    def _bucket_at(self, share: float) -> int | None:
        """Find the bucket of the duration that is at the nearest rank."""
        rank = max(1, math.ceil(share * len(self)))
        for bucket in sorted(self.buckets):
            rank -= self.buckets[bucket]
            if rank <= 0:
                return bucket
        return None
