"""How long to wait before the next attempt to connect: a generator of delays, and nothing else."""

from collections.abc import Callable, Iterator
from random import random as uniform


def backoff(
    initial: float = 0.1,
    factor: float = 1.8,
    maximum: float = 5.0,
    random: Callable[[], float] = uniform,
) -> Iterator[float]:
    """Yield the delays between attempts, in seconds, for ever.

    Each is a random part, between a half and the whole, of a step that grows by `factor` from
    `initial` up to `maximum`; so clients that lost their server together do not return together.

    Args:
        random: returns a float in [0, 1).
    """
    step = initial
    while True:
        yield step * (1 + random()) / 2
        step = min(step * factor, maximum)
