"""Values of the configuration in words, for people."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Field
from django.utils import timezone
from django.utils.formats import date_format


def in_words(field: "Field[Any, Any]", value: Any) -> str:
    """Return a field's value as people read it; "" for none."""
    if value is None or value == "":
        return ""
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return date_format(timezone.localtime(value), "Y-m-d H:i:s")
    if field.name == "rounds":
        return rounds_in_words(value)
    return str(value)


def rounds_in_words(rounds: Iterable[Mapping[str, Any]]) -> str:
    """Return rounds in a line, such as "^vip- for 500 ms, then everyone for 2000 ms"."""
    return ", then ".join(_round_in_words(one) for one in rounds)


def _round_in_words(one: Mapping[str, Any]) -> str:
    whom = one.get("app_filter") or "everyone"
    timeout_ms = one.get("timeout_ms")
    return whom if timeout_ms is None else f"{whom} for {timeout_ms} ms"
