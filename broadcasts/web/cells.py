"""How the values of a broadcast's columns are shown: each kind of value in one way."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import orjson
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from broadcasts.history.columns import Column, Row
from broadcasts.history.filters import STATUS_LABELS
from broadcasts.web.words import duration, exact

NO_LINKS: Mapping[str, str] = MappingProxyType({})
NOTHING = mark_safe('<span class="none">–</span>')


def cell(column: Column, row: Row, presets: Mapping[str, str] = NO_LINKS) -> SafeString:
    """Return a column of a row as pages show it; `presets`: where the version used leads to."""
    value = column.value(row)
    if value is None or value in ("", [], {}):
        return NOTHING
    if show := OF_COLUMNS.get(column.key):
        return show(value)
    if column.key == "preset" and value in presets:
        return format_html('<a href="{}">{}</a>', presets[value], value)
    return of_kind(value, column.unit)


def of_kind(value: Any, unit: str = "") -> SafeString:
    """Return a value by what it is."""
    if isinstance(value, bool):
        return format_html("{}", "yes" if value else "no")
    if isinstance(value, datetime):
        return at(value)
    if isinstance(value, (list, dict)):
        return format_html("<code>{}</code>", orjson.dumps(value).decode())
    return format_html("{}", duration(value) if unit == "ms" else value)


def at(value: datetime) -> SafeString:
    """Return a time to the millisecond."""
    seconds, _, fraction = exact(value).partition(".")
    return format_html(
        '<time datetime="{}">{}<small>.{}</small></time>', value.isoformat(), seconds, fraction
    )


def chip(status: str) -> SafeString:
    """Return a status as a shape and a word."""
    return format_html(
        '<span class="chip" data-status="{0}"><svg aria-hidden="true">'
        '<use href="#shape-{0}"></use></svg><span>{1}</span></span>',
        status,
        STATUS_LABELS[status],
    )


def sentences(texts: list[str]) -> SafeString:
    return format_html_join(mark_safe("<br>"), "{}", ((text,) for text in texts))


def code(value: Any) -> SafeString:
    return format_html("<code>{}</code>", value)


def strong(value: Any) -> SafeString:
    return format_html("<strong>{}</strong>", value)


OF_COLUMNS: dict[str, Callable[[Any], SafeString]] = {
    "status": chip,
    "warnings": sentences,
    "winner": strong,
    "stasis_status": code,
    "app_filter": code,
}
