"""What auditors ask for besides the calls: who has looked, and what the retention has removed."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter, TextFilter
from unfold.decorators import display

from broadcasts.archive.retention import is_genuine
from broadcasts.models import AccessEvent, RetentionNote

from .record import RecordAdmin

ACCESS_COLOURS = dict.fromkeys(AccessEvent.Kind, "default") | {
    AccessEvent.Kind.SIGN_IN_FAILED: "warning",
    AccessEvent.Kind.UNMASK: "info",
    AccessEvent.Kind.EXPORT: "info",
    AccessEvent.Kind.DOWNLOAD: "info",
    AccessEvent.Kind.RETENTION: "danger",
    AccessEvent.Kind.PSEUDONYMS: "danger",
}
BREAK = mark_safe("<wbr>")


class WhoFilter(TextFilter):
    title = "name (exactly)"
    parameter_name = "who"

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        return queryset.filter(who=self.value()) if self.value() else queryset


@admin.register(AccessEvent)
class AccessEventAdmin(RecordAdmin):
    list_display = ("at", "who", "what", "address", "details")
    list_filter = (
        ("kind", ChoicesDropdownFilter),
        WhoFilter,
        ("at", RangeDateTimeFilter),
    )
    fields = ("at", "who", "kind", "address", "details")

    @display(description="what", label=ACCESS_COLOURS)
    def what(self, event: AccessEvent) -> tuple[str, str]:
        return event.kind, event.get_kind_display()

    @admin.display(description="details")
    def details(self, event: AccessEvent) -> str:
        return in_words(event.detail)


@admin.register(RetentionNote)
class RetentionNoteAdmin(RecordAdmin):
    list_display = ("at", "by", "older_than", "seals", "gone", "signature_holds")
    fields = ("at", "by", "older_than", "seals", "gone", "chain_behind", "signature_holds")
    ordering = ("-through",)

    @admin.display(description="seals")
    def seals(self, note: RetentionNote) -> str:
        return f"{note.first:,} to {note.through:,}"

    @admin.display(description="removed")
    def gone(self, note: RetentionNote) -> str:
        return ", ".join(f"{count:,} {kind}" for kind, count in note.removed.items())

    @admin.display(description="the chain at the last of them")
    def chain_behind(self, note: RetentionNote) -> str:
        digits = bytes(note.chain).hex()
        # Narrow windows may break the line; what is copied is in one piece.
        return format_html_join(BREAK, "{}", ((digits[at : at + 8],) for at in range(0, 64, 8)))

    @display(description="signature", label={"genuine": "success", "forged or changed": "danger"})
    def signature_holds(self, note: RetentionNote) -> str:
        return "genuine" if is_genuine(note) else "forged or changed"


def in_words(value: Any) -> str:
    """Return a JSON value as a line to read."""
    if isinstance(value, dict):
        return ", ".join(
            f"{key.replace('_', ' ')}: {in_words(item)}" for key, item in value.items()
        )
    if isinstance(value, list):
        return ", ".join(in_words(item) for item in value)
    return "" if value is None else str(value)
