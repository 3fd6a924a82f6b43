"""The configuration of calls as it stands, read at once into what the domain judges by."""

import logging
from collections.abc import Iterator

from django.conf import settings

from broadcasts.domain.dialplan_pattern import PatternRefused, compile_pattern
from broadcasts.domain.plan import Configuration, Layer
from broadcasts.domain.policy import OnFailedHandover
from broadcasts.domain.presets import Preset as PlannedPreset
from broadcasts.domain.presets import Round, read_preset_args
from broadcasts.domain.rules import Rule as PlannedRule

from .defaults import Defaults
from .presets import Preset
from .rules import Rule

log = logging.getLogger(__name__)


def read_call_configuration() -> Configuration:
    """Read presets, rules and defaults: three queries.

    Raises:
        ValueError: the environment names an unknown choice.
    """
    return Configuration(presets(), list(rules()), *layers())


def read_defaults() -> Configuration:
    """Read the defaults alone, for what asks neither for presets nor for rules: one query."""
    return Configuration((), (), *layers())


def layers() -> tuple[dict[int, Layer], Layer, Layer]:
    """Return the defaults of each server, of the installation and of the environment."""
    rows = Defaults.objects.select_related("preset")
    of_servers = {row.server_id: as_layer(row) for row in rows}
    installation = of_servers.pop(None, Layer())
    return of_servers, installation, environment_layer()


def environment_layer() -> Layer:
    """Return the defaults that the environment gives; raises ValueError for an unknown choice."""
    return Layer(
        timeout_ms=settings.BROADCAST_TIMEOUT_MS,
        notify_claimed=settings.BROADCAST_NOTIFY_CLAIMED,
        on_failed_handover=OnFailedHandover(settings.BROADCAST_ON_FAILED_HANDOVER),
        handover_ms=settings.BROADCAST_HANDOVER_MS,
        rescue=settings.BROADCAST_RESCUE,
        any_name_may_claim=settings.BROADCAST_ANY_NAME_MAY_CLAIM,
        bad_filter_admits_all=settings.BROADCAST_BAD_FILTER_ADMITS_ALL,
    )


def as_layer(row: Defaults) -> Layer:
    """Return a row of defaults as calls use it."""
    return Layer(
        timeout_ms=row.timeout_ms,
        notify_claimed=row.notify_claimed,
        on_failed_handover=choice(row.on_failed_handover),
        handover_ms=row.handover_ms,
        rescue=row.rescue,
        any_name_may_claim=row.any_name_may_claim,
        bad_filter_admits_all=row.bad_filter_admits_all,
        preset=row.preset.name if row.preset else None,
    )


def presets() -> Iterator[PlannedPreset]:
    """Yield every preset; one that was spoilt behind the forms' back fails its calls."""
    for row in Preset.objects.only(*Preset.CONTENT, "version").iterator():
        try:
            yield as_preset(row)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            log.error("Preset %s cannot be used: %s", row.name, error)


def as_preset(row: Preset) -> PlannedPreset:
    """Return a preset's row as calls use it. Its filters were judged when it was saved."""
    return PlannedPreset(
        name=row.name,
        version=row.version,
        rounds=tuple(Round(one["app_filter"], one.get("timeout_ms")) for one in row.rounds),
        args=read_preset_args(row.args),
        notify_claimed=row.notify_claimed,
        on_failed_handover=choice(row.on_failed_handover),
    )


def rules() -> Iterator[PlannedRule]:
    """Yield the enabled rules in their order."""
    rows = Rule.objects.filter(enabled=True).select_related("preset")
    for row in rows.only(*RULE_COLUMNS, "preset__name").iterator():
        try:
            yield as_rule(row)
        except PatternRefused as refusal:
            log.error("Rule %s cannot be used: %s", row.name, refusal)


RULE_COLUMNS = ("position", "name", "server", "context", "extension", "caller", "preset")


def as_rule(row: Rule) -> PlannedRule:
    """Return a rule's row as calls use it. Raises PatternRefused."""
    return PlannedRule(
        name=row.name,
        preset=row.preset.name,
        server_id=row.server_id,
        context=row.context,
        extension=compile_pattern(row.extension),
        caller=compile_pattern(row.caller),
    )


def choice(value: str) -> OnFailedHandover | None:
    return OnFailedHandover(value) if value else None
