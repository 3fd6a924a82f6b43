"""The record, read-only for everybody: the ledger alone writes it."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import F, Q, QuerySet, Value
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import (
    ChoicesDropdownFilter,
    RangeDateTimeFilter,
    RelatedDropdownFilter,
    TextFilter,
)
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from broadcasts.access import is_unmasked, show_for
from broadcasts.domain.lifecycle import Status
from broadcasts.domain.numbers import masked
from broadcasts.history.numbers import WHOSE, in_full, part_shown
from broadcasts.models import Broadcast, Candidate, ClaimAttempt

from .base import AskedByFilters

# What has no index is looked for in so much of the past, unless a period is chosen.
RECENT = timedelta(days=30)
STATUS_COLOURS = {
    Status.OPEN: "info",
    Status.CLAIMED: "success",
    Status.TIMED_OUT: "warning",
    Status.FAILED: "danger",
}


class ReadOnly:
    """Nothing can be added, changed or deleted, whoever asks."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class RecordAdmin(ReadOnly, AskedByFilters, ModelAdmin):
    """Lists that never count or sort a whole table, however long it is."""

    list_per_page = 50
    list_fullwidth = True
    show_full_result_count = False
    paginator = InfinitePaginator
    sortable_by = ()
    actions = None
    show_facets = admin.ShowFacets.NEVER
    list_filter_submit = True
    ordering = ("-pk",)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> Any:
        """Show a row; what never changes has no history to lead to."""
        context = {**(extra_context or {}), "show_history": False}
        return super().changeform_view(request, object_id, form_url, context)


class PrivateAdmin(RecordAdmin):
    """Lists and pages of what holds callers' numbers."""

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list, its rows as the visitor may see them; all is searched as it is."""
        found = super().get_changelist_instance(request)
        found.result_list = [self.shown(request, row) for row in found.result_list]
        return found

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        row = super().get_object(request, object_id, from_field)
        return row and self.shown(request, row)

    def shown(self, request: HttpRequest, row: Any) -> Any:
        """Return a row as the visitor may see it."""
        conceal(request, self.broadcast_of(row))
        return row

    def broadcast_of(self, row: Any) -> Broadcast | None:
        """Return whose texts are private."""
        return row.broadcast


def conceal(request: HttpRequest, broadcast: Broadcast | None) -> None:
    """Put what the visitor is shown in the place of private texts; nothing here is ever saved."""
    if broadcast is not None:
        for name, value in show_for(request)(vars(broadcast)).items():
            setattr(broadcast, name, value)


def recent(request: HttpRequest, broadcasts: "QuerySet[Any]") -> "QuerySet[Any]":
    """Return the broadcasts of the last 30 days, or all where a period is chosen."""
    if any(name.startswith("opened_at_") and request.GET[name] for name in request.GET):
        return broadcasts
    return broadcasts.filter(opened_at__gte=timezone.now() - RECENT)


class WinnerFilter(TextFilter):
    title = "winner (exactly)"
    parameter_name = "winner"

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        winner = self.value()
        return recent(request, queryset).filter(winner=winner) if winner else queryset


class ApplicationFilter(TextFilter):
    title = "application (exactly)"
    parameter_name = "application"

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        return queryset.filter(application=self.value()) if self.value() else queryset


class CandidateInline(ReadOnly, TabularInline):
    model = Candidate
    fields = (
        "position",
        "application",
        "reached_by",
        "round",
        "offered_at",
        "failed_at",
        "why",
    )
    readonly_fields = ("why",)
    extra = 0
    per_page = 25
    ordering = ("position",)
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Candidate]":
        found = super().get_queryset(request)
        whose = {name: F(f"broadcast__{name}") for name in WHOSE}
        return found.annotate(**whose, in_full=Value(is_unmasked(request)))

    @admin.display(description="failure")
    def why(self, candidate: Candidate) -> str:
        """Tell the failure: by now the broadcast itself is as the visitor may see it."""
        show = in_full if candidate.in_full else masked
        return part_shown({"failure": candidate.failure}, vars(candidate), show)["failure"]


class ClaimAttemptInline(ReadOnly, TabularInline):
    model = ClaimAttempt
    fields = ("at", "application", "user", "answer", "verdict", "since_offered_ms")
    extra = 0
    per_page = 25
    ordering = ("pk",)
    can_delete = False


@admin.register(Broadcast)
class BroadcastAdmin(PrivateAdmin):
    list_display = (
        "opened_at",
        "state",
        "caller_number",
        "called",
        "server",
        "candidate_count",
        "winner",
        "latency",
        "preset_used",
        "reason",
    )
    list_select_related = ("server",)
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("server", RelatedDropdownFilter),
        WinnerFilter,
        ("opened_at", RangeDateTimeFilter),
    )
    ordering = ("-opened_at",)
    search_fields = ("channel_id", "caller_number", "called")
    search_help_text = "Channel id, or a number (last 30 days, or the period chosen)"
    inlines = (CandidateInline, ClaimAttemptInline)
    fieldsets = (
        ("Outcome", {"fields": ("status", "reason", "stasis_status", "winner", "latency")}),
        (
            "Call",
            {
                "fields": (
                    "server",
                    "channel_id",
                    "channel_name",
                    ("caller_number", "caller_name"),
                    ("called", "context"),
                    "asterisk_id",
                )
            },
        ),
        (
            "How it was broadcast",
            {
                "fields": (
                    ("preset_name", "preset_version"),
                    "rule_name",
                    "app_filter",
                    "timeout_ms",
                    "rounds",
                    "round",
                    "app_args",
                    "notify_claimed",
                    "arguments_given",
                    "warnings",
                )
            },
        ),
        (
            "Times",
            {
                "fields": (
                    "opened_at",
                    "deadline",
                    "claimed_at",
                    "handed_over_at",
                    "ended_at",
                    "talk_ms",
                    "hung_up_at",
                    ("hangup_cause", "hangup_cause_text"),
                )
            },
        ),
        ("Channel, as Asterisk described it", {"fields": ("channel",), "classes": ["tab"]}),
    )

    def broadcast_of(self, row: Broadcast) -> Broadcast:
        return row

    @display(description="status", label=STATUS_COLOURS)
    def state(self, broadcast: Broadcast) -> tuple[str, str]:
        return broadcast.status, broadcast.get_status_display()

    @admin.display(description="time to claim")
    def latency(self, broadcast: Broadcast) -> str:
        return "" if broadcast.claim_ms is None else f"{broadcast.claim_ms:.1f} ms"

    @admin.display(description="preset")
    def preset_used(self, broadcast: Broadcast) -> str:
        if not broadcast.preset_name:
            return ""
        return f"@{broadcast.preset_name} (version {broadcast.preset_version})"

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> tuple["QuerySet[Any]", bool]:
        """Find a channel by its index, wherever it is; a number among the recent ones."""
        term = search_term.strip()
        if not term:
            return queryset, False
        by_channel = queryset.filter(channel_id=term)
        if by_channel.exists():
            return by_channel, False
        numbers = Q(caller_number=term) | Q(called=term)
        return recent(request, queryset).filter(numbers), False


class PartAdmin(PrivateAdmin):
    """A list of what belongs to broadcasts."""

    search_fields = ("broadcast__channel_id",)
    search_help_text = "Channel id"

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> tuple["QuerySet[Any]", bool]:
        """Find what belongs to a channel's broadcasts, by the index of those."""
        term = search_term.strip()
        return (queryset.filter(broadcast__channel_id=term) if term else queryset), False


@admin.register(Candidate)
class CandidateAdmin(PartAdmin):
    list_display = (
        "offered_at",
        "application",
        "broadcast",
        "position",
        "round",
        "reached_by",
        "failure",
    )
    list_select_related = ("broadcast",)
    list_filter = (ApplicationFilter, ("reached_by", ChoicesDropdownFilter))

    def shown(self, request: HttpRequest, row: Candidate) -> Candidate:
        told = part_shown({"failure": row.failure}, vars(row.broadcast), show_for(request))
        row.failure = told["failure"]
        return super().shown(request, row)


@admin.register(ClaimAttempt)
class ClaimAttemptAdmin(PartAdmin):
    list_display = (
        "at",
        "application",
        "user",
        "answer",
        "verdict",
        "broadcast",
        "since_offered_ms",
        "behind_winner_ms",
    )
    list_select_related = ("broadcast",)
    list_filter = (ApplicationFilter, ("verdict", ChoicesDropdownFilter))
