"""Native StasisBroadcast and the service side by side, in one run and under one generator.

The rounds alternate between the two, so that a drift of the machine meets both alike. Every run is
checked too: see README.md for what counts as correct.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from benchmarks import answers, calls
from benchmarks.calls import Load
from benchmarks.wire import Server

PROJECT = Path(__file__).resolve().parent.parent
START_SECONDS = 30.0
Result = dict[str, Any]


@dataclass(frozen=True)
class Side:
    """One of the two compared: where calls come from, where candidates connect, what is called."""

    name: str
    asterisk: Server
    server: Server
    extension: str


@dataclass(frozen=True)
class Scenario:
    name: str
    measures: tuple[str, ...]
    run: Callable[[Side, float], Result]


def whole_calls(name: str, **load: int) -> Scenario:
    def run(side: Side, seconds: float) -> Result:
        chosen = Load(extension=side.extension, seconds=seconds, **load)
        return calls.measure(chosen, side.asterisk, side.server)

    measures = (
        "calls_per_second",
        "offered_204_ms_median",
        "offered_204_ms_p99",
        "offered_start_ms_median",
        "offered_start_ms_p99",
        "claim_204_ms_median",
        "claim_204_ms_p99",
        "generator_ms_per_call",
        "generator_cpu",
    )
    return Scenario(name, measures, run)


def answered_claims(name: str, connections: int) -> Scenario:
    def run(side: Side, seconds: float) -> Result:
        return answers.measure(connections, seconds, side.extension, side.asterisk, side.server)

    return Scenario(name, ("answers_per_second", "generator_us_per_answer", "generator_cpu"), run)


SCENARIOS = {
    "busy": whole_calls("3 applications, 20 calls at once", apps=3, at_once=20),
    "wide": whole_calls("200 applications, 3 claim, 5 calls at once", apps=200, at_once=5),
    "single": whole_calls("3 applications, 1 call at a time", apps=3, at_once=1),
    "flood": answered_claims("claims answered 409, 16 connections", connections=16),
}


class Service:
    """The service, started before each of its runs and stopped after it."""

    def __init__(self, side: Side, server: str, database_url: str | None) -> None:
        self.side, self.server, self.database_url = side, server, database_url

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Run the service; raises RuntimeError when it does not get ready."""
        with self._database() as url:
            self._manage(url, "migrate", "--verbosity", "0")
            name, _, password = self.side.server.user.partition(":")
            self._manage(url, "ari_user", name, "--password", password)
            bind = urlsplit(self.side.server.url).netloc
            command = self._command("serve", "--bind", bind, "--server", self.server)
            process = subprocess.Popen(command, cwd=PROJECT, env=self._environment(url))
            try:
                self._wait_until_ready(process)
                yield
            finally:
                stop(process)

    @contextlib.contextmanager
    def _database(self) -> Iterator[str]:
        """Yield the database's URL: the one given, or an empty SQLite file of this run."""
        if self.database_url:
            yield self.database_url
            return
        # Beside the service's own data: on a real disk, where a commit costs what it costs.
        data = PROJECT / "data"
        data.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=data, prefix="benchmark-") as directory:
            yield f"sqlite:///{directory}/broadcast.sqlite3"

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "manage.py", *arguments]

    def _manage(self, database_url: str, *arguments: str) -> None:
        environment = self._environment(database_url)
        command = self._command(*arguments)
        subprocess.run(command, cwd=PROJECT, env=environment, check=True, stdout=subprocess.DEVNULL)

    def _environment(self, database_url: str) -> dict[str, str]:
        name, _, password = self.side.asterisk.user.partition(":")
        return os.environ | {
            "DATABASE_URL": database_url,
            "ARI_URL": self.side.asterisk.url,
            "ARI_USERNAME": name,
            "ARI_PASSWORD": password,
        }

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        limit = time.monotonic() + START_SECONDS
        while time.monotonic() < limit and process.poll() is None:
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"{self.side.server.url}/readyz", timeout=1),
            ):
                return
            time.sleep(0.1)
        if process.returncode is not None:
            raise RuntimeError(f"the service ended with status {process.returncode}")
        raise RuntimeError(f"the service was not ready in {START_SECONDS:.0f} s")


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def compare(
    sides: list[Side], chosen: list[str], rounds: int, seconds: float, service: Service | None
) -> dict[str, dict[str, list[Result]]]:
    """Return the results of each scenario and side, one per round."""
    results: dict[str, dict[str, list[Result]]] = {
        scenario: {side.name: [] for side in sides} for scenario in chosen
    }
    for scenario in chosen:
        for number in range(rounds):
            # Who goes first changes too.
            for side in sides if number % 2 == 0 else reversed(sides):
                around = service.running() if service and side.name == "ours" else None
                with around or contextlib.nullcontext():
                    result = SCENARIOS[scenario].run(side, seconds)
                results[scenario][side.name].append(result)
                print(progress(scenario, number, side, result), file=sys.stderr)
    return results


def progress(scenario: str, number: int, side: Side, result: Result) -> str:
    rate = result[SCENARIOS[scenario].measures[0]]
    return f"{scenario} round {number + 1} {side.name}: {rate}/s {result['problems'] or ''}"


def table(results: dict[str, dict[str, list[Result]]]) -> Iterator[str]:
    """Yield the lines of a table: median, least and most of the rounds, and the ratio."""
    for key, by_side in results.items():
        yield f"\n{SCENARIOS[key].name}"
        heads = [*by_side, "ours/native"] if len(by_side) == 2 else [*by_side]
        yield f"{'':26}" + "".join(f"{head:>28}" for head in heads)
        for measure in SCENARIOS[key].measures:
            rounds = [[run[measure] for run in runs] for runs in by_side.values()]
            yield f"{measure:26}" + "".join(f"{cell:>28}" for cell in cells(rounds))


def cells(rounds: list[list[float | None]]) -> Iterator[str]:
    for values in rounds:
        known = [value for value in values if value is not None]
        yield f"{median(known):g} ({min(known):g}–{max(known):g})" if known else "–"
    if len(rounds) == 2:
        # Neighbours in time are compared, so a drift over the rounds cancels out.
        ratios = [ours / native for native, ours in zip(*rounds, strict=True) if ours and native]
        yield f"{median(ratios):.2f}" if ratios else "–"


def verdict(results: dict[str, dict[str, list[Result]]]) -> list[str]:
    """Return what was wrong, one line per run; none when every run was correct."""
    return [
        f"{scenario} {side} round {number}: {text} ({count}×)"
        for scenario, by_side in results.items()
        for side, runs in by_side.items()
        for number, run in enumerate(runs, start=1)
        for text, count in run["problems"].items()
    ]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--asterisk", default="http://127.0.0.1:8088", help="base URL of its ARI")
    parser.add_argument("--asterisk-user", default="ari:ari")
    parser.add_argument("--native-extension", default="nativequick")
    parser.add_argument("--ours", help="base URL of the service; without it only native is run")
    parser.add_argument("--ours-user", default="bench:secret")
    parser.add_argument("--ours-extension", default="benchgosub")
    parser.add_argument("--scenario", action="append", choices=SCENARIOS, help="default: all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each run")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all results there")
    parser.add_argument("--serve", action="store_true", help="start the service for each run")
    parser.add_argument("--server", choices=("uvicorn", "daphne"), default="uvicorn")
    parser.add_argument("--database-url", help="with --serve; default: a new SQLite file each run")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    asterisk = Server(options.asterisk, options.asterisk_user)
    sides = [Side("native", asterisk, asterisk, options.native_extension)]
    service = None
    if options.ours:
        ours = Server(options.ours, options.ours_user)
        sides.append(Side("ours", asterisk, ours, options.ours_extension))
        if options.serve:
            service = Service(sides[-1], options.server, options.database_url)
    chosen = options.scenario or list(SCENARIOS)
    results = compare(sides, chosen, options.rounds, options.seconds, service)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2))
    print("\n".join(table(results)))
    wrong = verdict(results)
    print("\n" + "\n".join(wrong or ["Correct: every call whole, none lost, one 204 each."]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
