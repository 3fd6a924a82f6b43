"""How much of what others send us is recorded: a client in a loop must not fill the record."""

from collections import OrderedDict

# Attempts for channels that nobody knows, recorded in a second.
UNKNOWN_PER_SECOND = 50
# Attempts of one application for one call beyond these are answered but not recorded.
RECORDED_ATTEMPTS = 20
CALLS_REMEMBERED = 4096


class Allowance:
    """So many of something in each second; what is beyond has to do without."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._second = 0
        self._taken = 0

    def take(self, at: float) -> bool:
        """Take one, if any is left in the second of this time."""
        if int(at) != self._second:
            self._second, self._taken = int(at), 0
        self._taken += 1
        return self._taken <= self._per_second


class Attempts:
    """Counts the attempts of each application for each of the last calls."""

    def __init__(self) -> None:
        self._counts: OrderedDict[tuple[str, str], int] = OrderedDict()

    def count(self, channel_id: str, application: str) -> bool:
        """Count one more; returns whether it is to be recorded."""
        key = channel_id, application
        count = self._counts[key] = self._counts.pop(key, 0) + 1
        if len(self._counts) > CALLS_REMEMBERED:
            self._counts.popitem(last=False)
        return count <= RECORDED_ATTEMPTS
