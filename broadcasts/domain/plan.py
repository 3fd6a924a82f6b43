"""What a call gets, and where each value of it comes from.

The dialplan's own arguments count first, then the preset that it names or that a rule or a default
chooses, then the defaults of the server, of the installation and of the environment. All of it is
in a `Configuration`, which never changes: judging a call asks nobody.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from itertools import takewhile
from types import MappingProxyType
from typing import Any

from .app_filter import FilterRefused, compile_filter
from .arguments import NATIVE_DEFAULTS, Arguments, filter_given, parse_arguments
from .arguments import Defaults as ArgumentDefaults
from .policy import OnFailedHandover, Policy
from .presets import PRESET_SIGN, Preset
from .rules import Incoming, Rule, RuleIndex


class Source(StrEnum):
    """Where a value comes from."""

    DIALPLAN = "dialplan"
    RULE = "rule"
    PRESET = "preset"
    SERVER = "server"
    INSTALLATION = "installation"
    ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of defaults; None leaves a value to the next. Times in milliseconds."""

    timeout_ms: int | None = None
    notify_claimed: bool | None = None
    on_failed_handover: OnFailedHandover | None = None
    handover_ms: int | None = None
    rescue: bool | None = None
    any_name_may_claim: bool | None = None
    bad_filter_admits_all: bool | None = None
    preset: str | None = None


LAYERED = tuple(field.name for field in fields(Layer))

# The lowest layer has to give every value but the preset.
BUILT_IN = Layer(
    timeout_ms=NATIVE_DEFAULTS.timeout_ms,
    notify_claimed=NATIVE_DEFAULTS.notify_claimed,
    **{field.name: getattr(Policy(), field.name) for field in fields(Policy)},
)


@dataclass(frozen=True, slots=True)
class InForce:
    """The defaults of one server, all layers taken together, and the source of each."""

    timeout_ms: int
    notify_claimed: bool
    preset: str
    policy: Policy
    sources: Mapping[str, Source]


@dataclass(frozen=True, slots=True)
class PlannedRound:
    """A round as it will be: its filter, and how long it lasts in milliseconds."""

    app_filter: str
    timeout_ms: int


@dataclass(frozen=True, slots=True)
class Plan:
    """How one call is to be broadcast.

    rounds: at least one.
    refused: why it cannot be broadcast; "" if it can.
    preset, preset_version, rule: what it was taken from; "" and None for nothing.
    sources: where each value comes from, by its name; `preset` tells who chose the preset.
    """

    rounds: tuple[PlannedRound, ...]
    args: tuple[str, ...]
    notify_claimed: bool
    policy: Policy
    refused: str
    warnings: tuple[str, ...]
    preset: str
    preset_version: int | None
    rule: str
    sources: Mapping[str, Source]

    @property
    def filters(self) -> tuple[str, ...]:
        """The filter of each round."""
        return tuple(one.app_filter for one in self.rounds)

    @property
    def timeout_ms(self) -> int:
        """How long all rounds take together, in milliseconds."""
        return sum(one.timeout_ms for one in self.rounds)


class Configuration:
    """Presets, rules and defaults at one moment.

    `layers` are the defaults of each server by its id; `environment` gives every value but the
    preset.
    """

    def __init__(
        self,
        presets: Iterable[Preset] = (),
        rules: Sequence[Rule] = (),
        layers: Mapping[int, Layer] = MappingProxyType({}),
        installation: Layer = Layer(),
        environment: Layer = BUILT_IN,
    ) -> None:
        self.presets = {preset.name: preset for preset in presets}
        self.rules = RuleIndex(rules)
        self._rules_name_contexts = any(rule.context for rule in rules)
        below = ((Source.INSTALLATION, installation), (Source.ENVIRONMENT, environment))
        self._installation = settle(*below)
        self._servers = {
            server_id: settle((Source.SERVER, layer), *below) for server_id, layer in layers.items()
        }

    def needs_context(self, raw: Sequence[str]) -> bool:
        """Tell whether the context of a call with these arguments may decide its preset."""
        return self._rules_name_contexts and not filter_given(raw)

    def in_force(self, server_id: int | None = None) -> InForce:
        """Return the defaults of a server; of the installation for one without its own."""
        if server_id is None:
            return self._installation
        return self._servers.get(server_id, self._installation)

    def policy(self, server_id: int, preset: str = "") -> Policy:
        """Return how a call of a server is arbitrated that was broadcast with a preset, or none."""
        return policy_with(self.in_force(server_id).policy, self.presets.get(preset))

    def plan(self, call: Incoming, raw: Sequence[str]) -> Plan:
        """Judge a call by what StasisStart carries in `args`."""
        base = self.in_force(call.server_id)
        choice = self._choose(call, filter_given(raw), base)
        preset = self.presets.get(choice.preset) if choice.source else None
        timeout_ms = preset_timeout_ms(preset, base.timeout_ms)
        given = parse_arguments(raw, defaults_with(preset, base, timeout_ms))
        rounds = rounds_with(preset, given, timeout_ms)
        refused = "" if preset or not choice.source else f"there is no preset {choice.preset!r}"
        refused = refused or refusal_of(rounds)
        warnings = given.warnings
        if refused and not choice.source and base.policy.bad_filter_admits_all:
            rounds = (PlannedRound("", given.timeout_ms),)
            refused, warnings = "", (*warnings, f"the filter was not used ({refused})")
        return Plan(
            rounds=rounds,
            args=given.args,
            notify_claimed=given.notify_claimed,
            policy=policy_with(base.policy, preset),
            refused=refused,
            warnings=warnings,
            preset=choice.preset,
            preset_version=preset.version if preset else None,
            rule=choice.rule,
            sources=sources_of(base, preset, choice.source, given),
        )

    def _choose(self, call: Incoming, app_filter: str, base: InForce) -> "Choice":
        """Return who chooses which preset: the dialplan, a rule or the defaults."""
        if app_filter:
            if not app_filter.startswith(PRESET_SIGN):
                return NO_CHOICE
            return Choice(app_filter.removeprefix(PRESET_SIGN), Source.DIALPLAN)
        rule = self.rules.first(call)
        if rule:
            return Choice(rule.preset, Source.RULE, rule.name)
        if base.preset:
            return Choice(base.preset, base.sources["preset"])
        return NO_CHOICE


@dataclass(frozen=True, slots=True)
class Choice:
    """A preset, and who chose it; without a source there is none."""

    preset: str = ""
    source: Source | None = None
    rule: str = ""


NO_CHOICE = Choice()


@dataclass(frozen=True, slots=True)
class Explanation:
    """A plan and why it is that: the rules that were passed over, each with what did not fit."""

    plan: Plan
    passed_over: tuple[tuple[Rule, tuple[str, ...]], ...]


def explain(configuration: Configuration, call: Incoming, raw: Sequence[str]) -> Explanation:
    """Judge a call as `Configuration.plan` does, and tell why no earlier rule caught it.

    Rules are passed over only where the dialplan gives no filter.
    """
    plan = configuration.plan(call, raw)
    asked = () if filter_given(raw) else configuration.rules.rules
    earlier = takewhile(lambda rule: rule.name != plan.rule, asked)
    return Explanation(plan, tuple((rule, rule.mismatches(call)) for rule in earlier))


def settle(*layers: tuple[Source, Layer]) -> InForce:
    """Take layers together: of each value the first one that is given counts."""
    values: dict[str, Any] = {}
    sources: dict[str, Source] = {}
    for source, layer in reversed(layers):
        given = {name: getattr(layer, name) for name in LAYERED if getattr(layer, name) is not None}
        values |= given
        sources |= dict.fromkeys(given, source)
    policy = Policy(**{field.name: values[field.name] for field in fields(Policy)})
    return InForce(
        timeout_ms=values["timeout_ms"],
        notify_claimed=values["notify_claimed"],
        preset=values.get("preset", ""),
        policy=policy,
        sources=MappingProxyType(sources),
    )


def defaults_with(preset: Preset | None, base: InForce, timeout_ms: int) -> ArgumentDefaults:
    """Return what an argument means that the dialplan leaves empty."""
    if preset is None:
        return ArgumentDefaults(timeout_ms, base.notify_claimed)
    notify_claimed = preset.notify_claimed
    if notify_claimed is None:
        notify_claimed = base.notify_claimed
    return ArgumentDefaults(timeout_ms, notify_claimed, preset.args)


def policy_with(policy: Policy, preset: Preset | None) -> Policy:
    """Return a server's policy with what a preset says about it."""
    if preset is None or preset.on_failed_handover is None:
        return policy
    return replace(policy, on_failed_handover=preset.on_failed_handover)


def preset_timeout_ms(preset: Preset | None, default_ms: int) -> int:
    """Return how long a preset's rounds take together; only a single one may leave it open."""
    if preset is None:
        return default_ms
    return sum(default_ms if one.timeout_ms is None else one.timeout_ms for one in preset.rounds)


def rounds_with(
    preset: Preset | None, given: Arguments, timeout_ms: int
) -> tuple[PlannedRound, ...]:
    """Return the rounds of a call whose preset takes `timeout_ms` by itself.

    A time-out in the dialplan is one for all rounds: it cuts them off or lengthens the last one.
    """
    if preset is None:
        return (PlannedRound(given.app_filter, given.timeout_ms),)
    rounds = tuple(
        PlannedRound(one.app_filter, timeout_ms if one.timeout_ms is None else one.timeout_ms)
        for one in preset.rounds
    )
    return rounds if given.timeout_ms == timeout_ms else tuple(fitted(rounds, given.timeout_ms))


def refusal_of(rounds: Sequence[PlannedRound]) -> str:
    """Return why a round's filter cannot be used, or ""."""
    try:
        for one in rounds:
            compile_filter(one.app_filter)
    except FilterRefused as refusal:
        return f"filter refused: {refusal}"
    return ""


def fitted(rounds: Sequence[PlannedRound], timeout_ms: int) -> Iterator[PlannedRound]:
    """Yield those rounds that begin within a time, so that they fill it."""
    for number, one in enumerate(rounds, 1):
        share = timeout_ms if number == len(rounds) else min(one.timeout_ms, timeout_ms)
        if share or number == 1:
            yield PlannedRound(one.app_filter, share)
        timeout_ms -= share


def sources_of(
    base: InForce, preset: Preset | None, chooser: Source | None, given: Arguments
) -> Mapping[str, Source]:
    """Return where each value of a plan comes from."""
    sources = dict(base.sources)
    if chooser:
        sources["preset"] = chooser
    else:
        sources.pop("preset", None)
    sources |= dict.fromkeys(given.given, Source.DIALPLAN)
    if preset:
        said = (name for name in said_by(preset) if name not in given.given)
        sources |= dict.fromkeys(said, Source.PRESET)
        sources["app_filter"] = Source.PRESET
    return sources


def said_by(preset: Preset) -> Iterator[str]:
    """Yield the names of the values that a preset does not leave to the defaults."""
    if preset.rounds[0].timeout_ms is not None:
        yield "timeout_ms"
    if preset.args:
        yield "args"
    if preset.notify_claimed is not None:
        yield "notify_claimed"
    if preset.on_failed_handover is not None:
        yield "on_failed_handover"
