"""How long it takes to judge a call's rule and preset, with as many rules as there are options.

    python -m benchmarks.rules [--rules 1000] [--json results.json]

Needs neither a database nor an Asterisk: what is measured is `Configuration.plan`, which is all
that a call pays for while nothing has changed. The shapes are chosen to be hard: rules that nearly
all match in every property but one.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median, quantiles

from broadcasts.domain.dialplan_pattern import compile_pattern
from broadcasts.domain.plan import Configuration
from broadcasts.domain.presets import Preset, Round
from broadcasts.domain.rules import Incoming, Rule

CALLS = 20_000
BOUND_US = 100.0  # what a judgement may take, by the median

RAW = ["2000", "", "sales:priority-high", ""]
ROUNDS = (Round("^vip-", 500), Round("", 2000))


def rule(number: int, context: str = "", extension: str = "", caller: str = "") -> Rule:
    patterns = compile_pattern(extension), compile_pattern(caller)
    return Rule(f"rule-{number}", f"preset-{number % 50}", None, context, *patterns)


def call(number: int) -> Incoming:
    return Incoming(1, f"context-{number}", f"{600_000 + number}", f"+1555{number:07d}")


# What tells the rules apart.
SHAPES: dict[str, Callable[[int], Rule]] = {
    "exact extensions": lambda number: rule(number, extension=f"{600_000 + number}"),
    "extension patterns": lambda number: rule(number, extension=f"_{600_000 + number}!"),
    "caller patterns behind one that fits": lambda number: rule(
        number, extension="_6XXXXX", caller=f"_+1555{number:07d}!"
    ),
    "contexts": lambda number: rule(number, context=f"context-{number}", extension="_X."),
    "a class at every place": lambda number: rule(
        number, extension="_[4-8]XXXX[0-9]", caller=f"_+[1-9][0-9]5N{number:07d}!"
    ),
}


def judged(configuration: Configuration, calls: Sequence[Incoming]) -> list[float]:
    """Return how long each judgement took, in microseconds."""
    taken = []
    for one in calls:
        start = time.perf_counter_ns()
        configuration.plan(one, RAW)
        taken.append((time.perf_counter_ns() - start) / 1000)
    return taken


def measure(shape: Callable[[int], Rule], rules: int) -> dict[str, float]:
    """Return what one shape of rules costs."""
    presets = [Preset(f"preset-{number}", 1, ROUNDS) for number in range(50)]
    made = [shape(number) for number in range(rules)]
    start = time.perf_counter()
    configuration = Configuration(presets, made)
    build_ms = (time.perf_counter() - start) * 1000
    # Every other call is one that no rule may know.
    calls = [call(random.randrange(2 * rules)) for _ in range(CALLS)]
    taken = judged(configuration, calls)
    caught = sum(configuration.rules.first(one) is not None for one in calls)
    return {
        "median_us": round(median(taken), 1),
        "p99_us": round(quantiles(taken, n=100)[98], 1),
        "caught": round(caught / len(calls), 2),
        "build_ms": round(build_ms, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rules", type=int, default=1000)
    parser.add_argument("--json", type=Path, help="where to write the results")
    options = parser.parse_args()
    results = {name: measure(shape, options.rules) for name, shape in SHAPES.items()}
    print(f"{options.rules} rules{'':30}median µs    p99 µs    caught  built in ms")
    for name, result in results.items():
        print(
            f"{name:38}{result['median_us']:>12}{result['p99_us']:>10}"
            f"{result['caught']:>10}{result['build_ms']:>13}"
        )
    if options.json:
        options.json.write_text(json.dumps({"rules": options.rules, "shapes": results}, indent=2))
    if any(result["median_us"] > BOUND_US for result in results.values()):
        raise SystemExit(f"a judgement took longer than {BOUND_US:g} µs")


if __name__ == "__main__":
    main()
