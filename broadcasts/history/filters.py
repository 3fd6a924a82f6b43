"""What the record can be filtered by: the same on pages, in exports and over the API.

Without a period, and unless something is asked for that points at few broadcasts, the last seven
days are meant.
"""

from datetime import UTC, datetime, timedelta

import django_filters as filters
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import ExtractHour, ExtractIsoWeekDay
from django.utils import timezone

from broadcasts.domain.lifecycle import StasisStatus, Status
from broadcasts.models import AsteriskServer, Broadcast, Candidate, ClaimAttempt

from .numbers import pseudonym_of

Broadcasts = QuerySet[Broadcast]

PERIODS = {
    "15m": ("Last 15 minutes", timedelta(minutes=15)),
    "1h": ("Last hour", timedelta(hours=1)),
    "24h": ("Last 24 hours", timedelta(days=1)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", timedelta(days=30)),
    "all": ("Any time", None),
}
USUAL_PERIOD = "7d"

# Who asks for one of these asks for few broadcasts, wherever they are.
POINTED = ("q", "same_caller", "same_channel")

STATUS_LABELS = {
    Status.OPEN: "Offered",
    Status.CLAIMED: "Claimed",
    Status.TIMED_OUT: "Timed out",
    Status.ABANDONED: "Abandoned",
    Status.NO_CANDIDATES: "No candidates",
    Status.FAILED: "Failed",
}
# What lies outside is no time of a record, and too near to the calendar's ends for every zone.
NO_EARLIER = MinValueValidator(datetime(1970, 1, 1, tzinfo=UTC), "There was no record before 1970.")
NO_LATER = MaxValueValidator(datetime(9000, 1, 1, tzinfo=UTC), "That is too far ahead.")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def same_number(column: str, number: str) -> Q:
    """Match a number, also where its pseudonym has taken its place."""
    return Q(**{f"{column}__in": [number, pseudonym_of(number)]})


def was_candidate(application: str) -> Exists:
    """Match broadcasts that were offered to an application."""
    return Exists(Candidate.objects.filter(broadcast=OuterRef("pk"), application=application))


def has_attempted(application: str) -> Exists:
    """Match broadcasts that an application tried to claim."""
    return Exists(ClaimAttempt.objects.filter(broadcast=OuterRef("pk"), application=application))


class BroadcastFilter(filters.FilterSet):
    """Broadcasts by what people ask for; times without a zone are in the current one."""

    q = filters.CharFilter(
        label="Number or channel id",
        help_text="The caller's number, the called one or a channel's id, in full.",
        method="search",
    )
    period = filters.ChoiceFilter(
        label="Period",
        method="within",
        empty_label=None,
        choices=[(key, label) for key, (label, _) in PERIODS.items()],
    )
    since = filters.IsoDateTimeFilter(
        label="From",
        help_text="Offered at this time or later.",
        field_name="opened_at",
        lookup_expr="gte",
        validators=[NO_EARLIER, NO_LATER],
    )
    until = filters.IsoDateTimeFilter(
        label="Before",
        help_text="Offered before this time.",
        field_name="opened_at",
        lookup_expr="lt",
        validators=[NO_EARLIER, NO_LATER],
    )
    # Of a column of the row itself nothing is found twice: DISTINCT would only cost.
    status = filters.MultipleChoiceFilter(
        label="Status",
        choices=[(key.value, label) for key, label in STATUS_LABELS.items()],
        distinct=False,
    )
    stasis_status = filters.MultipleChoiceFilter(
        label="STASISSTATUS",
        choices=[(one.value, one.value) for one in StasisStatus],
        distinct=False,
    )
    winner = filters.CharFilter(label="Winner", help_text="The application that won the call.")
    candidate = filters.CharFilter(
        label="Offered to", help_text="An application that was a candidate.", method="offered_to"
    )
    attempted = filters.CharFilter(
        label="Claim tried by",
        help_text="An application that made a claim, won or lost.",
        method="attempted_by",
    )
    unanswered_by = filters.CharFilter(
        label="Not answered by",
        help_text="An application that was a candidate and made no claim.",
        method="not_answered_by",
    )
    failed_for = filters.CharFilter(
        label="Hand-over failed for",
        help_text="An application that won and could not take the call.",
        method="handover_failed_for",
    )
    # Of a truth that is neither, Django makes none, and what was asked for would be ignored.
    failed_handover = filters.ChoiceFilter(
        label="A hand-over failed",
        method="any_handover_failed",
        choices=[("true", "Yes"), ("false", "No")],
    )
    caller = filters.CharFilter(
        label="Caller",
        help_text="The caller's number in full; also found where a pseudonym has taken its place.",
        method="by_caller",
    )
    called = filters.CharFilter(
        label="Called", help_text="The number or extension that was called, in full."
    )
    server = filters.ModelChoiceFilter(
        label="Server",
        help_text="The name of an Asterisk server.",
        queryset=AsteriskServer.objects.only("name"),
        to_field_name="name",
    )
    preset = filters.CharFilter(
        label="Preset", help_text="The name of a preset, with or without the @.", method="by_preset"
    )
    latency_min = filters.NumberFilter(
        label="Claimed after at least (ms)", field_name="claim_ms", lookup_expr="gte", min_value=0
    )
    latency_max = filters.NumberFilter(
        label="Claimed after at most (ms)", field_name="claim_ms", lookup_expr="lte", min_value=0
    )
    hour = filters.NumberFilter(
        label="Hour of the day",
        help_text="In which the call was offered, 0 to 23, in the reader's time zone.",
        method="in_hour",
        min_value=0,
        max_value=23,
        decimal_places=0,
    )
    weekday = filters.ChoiceFilter(
        label="Weekday",
        method="on_weekday",
        choices=[(str(number), name) for number, name in enumerate(WEEKDAYS, 1)],
    )
    same_caller = filters.NumberFilter(
        label="Same caller as broadcast",
        help_text="The number of a broadcast, whose caller stays untold.",
        method="of_same_caller",
        decimal_places=0,
    )
    same_channel = filters.NumberFilter(
        label="Same channel as broadcast",
        help_text="The number of a broadcast; the same server and channel id.",
        method="of_same_channel",
        decimal_places=0,
    )

    class Meta:
        model = Broadcast
        fields = ("winner", "called", "server")

    def filter_queryset(self, queryset: Broadcasts) -> Broadcasts:
        """Apply what was asked for, within the usual period where nothing says another."""
        queryset = super().filter_queryset(queryset)
        asked = self.form.cleaned_data
        if not any(asked.get(name) for name in ("period", "since", "until", *POINTED)):
            queryset = self.within(queryset, "period", USUAL_PERIOD)
        return queryset

    def search(self, queryset: Broadcasts, name: str, value: str) -> Broadcasts:
        term = value.strip()
        return queryset.filter(
            Q(channel_id=term) | Q(called=term) | same_number("caller_number", term)
        )

    def within(self, queryset: Broadcasts, name: str, value: str) -> Broadcasts:
        length = PERIODS[value][1]
        return queryset.filter(opened_at__gte=timezone.now() - length) if length else queryset

    def offered_to(self, queryset: Broadcasts, name: str, value: str) -> Broadcasts:
        return queryset.filter(was_candidate(value))

    def attempted_by(self, queryset: Broadcasts, name: str, value: str) -> Broadcasts:
        return queryset.filter(has_attempted(value))

    def not_answered_by(self, queryset: Broadcasts, name: str, value: str) -> Broadcasts:
        return queryset.filter(was_candidate(value), ~has_attempted(value))

    def handover_failed_for(self, queryset: Broadcasts, name: str, value: str) -> Broadcasts:
        # A union, each part of which has an index; of an OR every broadcast would be tried.
        sent_back = Broadcast.objects.filter(status=Status.FAILED, winner=value)
        passed_on = Candidate.objects.filter(application=value, failed_at__isnull=False)
        keys = sent_back.order_by().values("pk").union(passed_on.order_by().values("broadcast"))
        return queryset.filter(pk__in=keys)

    def any_handover_failed(self, queryset: Broadcasts, name: str, value: str) -> Broadcasts:
        sent_back = Q(status=Status.FAILED) & ~Q(winner="")
        failed = sent_back | Q(
            Exists(Candidate.objects.filter(broadcast=OuterRef("pk"), failed_at__isnull=False))
        )
        return queryset.filter(failed if value == "true" else ~failed)

    def by_caller(self, queryset: Broadcasts, name: str, value: str) -> Broadcasts:
        return queryset.filter(same_number("caller_number", value.strip()))

    def by_preset(self, queryset: Broadcasts, name: str, value: str) -> Broadcasts:
        return queryset.filter(preset_name=value.strip().removeprefix("@"))

    def in_hour(self, queryset: Broadcasts, name: str, value: int) -> Broadcasts:
        zone = timezone.get_current_timezone()
        return queryset.alias(_hour=ExtractHour("opened_at", tzinfo=zone)).filter(_hour=value)

    def on_weekday(self, queryset: Broadcasts, name: str, value: str) -> Broadcasts:
        day = ExtractIsoWeekDay("opened_at", tzinfo=timezone.get_current_timezone())
        return queryset.alias(_weekday=day).filter(_weekday=int(value))

    def of_same_caller(self, queryset: Broadcasts, name: str, value: int) -> Broadcasts:
        """Match the caller of a broadcast without telling anybody who that is."""
        number = Broadcast.objects.filter(pk=value).values_list("caller_number", flat=True).first()
        return queryset.filter(same_number("caller_number", number)) if number else queryset.none()

    def of_same_channel(self, queryset: Broadcasts, name: str, value: int) -> Broadcasts:
        one = Broadcast.objects.filter(pk=value).values("server_id", "channel_id").first()
        return queryset.filter(**one) if one else queryset.none()
