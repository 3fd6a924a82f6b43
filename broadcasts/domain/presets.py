"""What a preset may hold, judged by the code that calls use."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .app_filter import FilterRefused, compile_filter
from .arguments import MAX_TIMEOUT_MS, movable_args, split_args
from .policy import OnFailedHandover

MAX_ROUNDS = 10
PRESET_SIGN = "@"


class PresetRefused(ValueError):
    """A preset cannot be used; `faults` says why, one sentence each, for an operator."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a preset; `timeout_ms` in milliseconds, None for the default."""

    app_filter: str
    timeout_ms: int | None


@dataclass(frozen=True, slots=True)
class Preset:
    """A preset as calls use it; None and "" leave a value to the defaults."""

    name: str
    version: int
    rounds: tuple[Round, ...]
    args: tuple[str, ...] = ()
    notify_claimed: bool | None = None
    on_failed_handover: OnFailedHandover | None = None


def read_rounds(value: object) -> tuple[Round, ...]:
    """Return the rounds that a preset keeps as JSON. Raises PresetRefused with every fault."""
    if not isinstance(value, list) or not value:
        raise PresetRefused(["a preset needs a list of at least one round"])
    faults = [f"round {number}: {fault}" for number, fault in _faults_of_each(value)]
    if len(value) > MAX_ROUNDS:
        faults.append(f"{len(value)} rounds; at most {MAX_ROUNDS} are possible")
    if faults:
        raise PresetRefused(faults)
    rounds = tuple(Round(entry["app_filter"], entry.get("timeout_ms")) for entry in value)
    _check_sum(rounds)
    return rounds


def read_preset_args(text: str) -> tuple[str, ...]:
    """Return the arguments for the winner. Raises PresetRefused where some would be lost."""
    args, warnings = split_args(text)
    _, lost = movable_args(args)
    if warnings or lost:
        raise PresetRefused([*warnings, *lost])
    return args


def _faults_of_each(entries: list[object]) -> Iterator[tuple[int, str]]:
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, Mapping):
            yield number, "it has to name its app_filter and timeout_ms"
            continue
        unknown = entry.keys() - {"app_filter", "timeout_ms"}
        if unknown:
            yield number, f"unknown: {', '.join(sorted(map(str, unknown)))}"
        yield from ((number, fault) for fault in _filter_faults(entry.get("app_filter")))
        yield from ((number, fault) for fault in _timeout_faults(entry.get("timeout_ms")))


def _filter_faults(app_filter: object) -> Iterator[str]:
    if not isinstance(app_filter, str):
        yield "app_filter has to be a text; an empty one admits every application"
    elif app_filter.startswith(PRESET_SIGN):
        yield "a preset cannot name another preset"
    else:
        try:
            compile_filter(app_filter)
        except FilterRefused as refusal:
            yield f"app_filter {app_filter!r}: {refusal}"


def _timeout_faults(timeout_ms: object) -> Iterator[str]:
    if timeout_ms is None:
        return
    if not isinstance(timeout_ms, int) or isinstance(timeout_ms, bool):
        yield f"timeout_ms {timeout_ms!r} is not a whole number of milliseconds"
    elif not 0 <= timeout_ms <= MAX_TIMEOUT_MS:
        yield f"timeout_ms {timeout_ms} is not between 0 and {MAX_TIMEOUT_MS}"


def _check_sum(rounds: tuple[Round, ...]) -> None:
    given = [one.timeout_ms for one in rounds if one.timeout_ms is not None]
    if len(rounds) > 1 and len(given) < len(rounds):
        raise PresetRefused(["each of several rounds needs its timeout_ms"])
    if sum(given) > MAX_TIMEOUT_MS:
        raise PresetRefused(
            [f"the rounds take {sum(given)} ms together; at most {MAX_TIMEOUT_MS} are possible"]
        )
