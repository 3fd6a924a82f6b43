"""What the API answers. Every request takes a fixed number of queries and a bounded page."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any

import django_filters
from django.db.models import F
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from broadcasts.history import columns
from broadcasts.history.filters import NO_EARLIER, NO_LATER, BroadcastFilter
from broadcasts.history.numbers import Show, part_shown
from broadcasts.history.running import connected_applications, enabled_servers, link_state
from broadcasts.models import AccessEvent, AsteriskServer, Broadcast, ClaimAttempt, Presence

from . import paging, shapes
from .errors import answers
from .parameters import Numbers, Reading, read
from .reading import ReadOnly, Row
from .rights import show_for

USUAL = (columns.BY_KEY["id"], *columns.USUAL)
# So many candidates and attempts are told with a broadcast; attempts/ has all attempts.
MOST_TOLD = 500
EVENT = shapes.AccessEventSerializer.Meta.fields
PRESENCE = ("id", "application", "user", "since")
RECORD, RUNNING, PROOF = ["The record"], ["What runs now"], ["Proof"]


class Broadcasts(ReadOnly):
    queryset = Broadcast.objects.all()
    serializer_class = shapes.BroadcastRowSerializer
    filterset_class = BroadcastFilter
    pagination_class = paging.StrictPages
    asks = Reading

    @extend_schema(
        operation_id="broadcasts",
        summary="Broadcasts, newest first",
        description="Those of the last seven days, unless a period or one call is asked for.",
        parameters=[Reading],
        responses=answers(shapes.BroadcastRowSerializer(many=True)),
        tags=RECORD,
    )
    def get(self, request: Request) -> Response:
        asked = read(Reading, request)
        chosen = asked.get("fields", USUAL)
        show = show_for(request, asked["unmasked"])
        with timezone.override(asked["zone"]):
            found = self.filter_queryset(self.get_queryset())
            return self.page_of(
                columns.read(found, chosen), partial(shown, show=show, chosen=chosen)
            )


def shown(row: Row, show: Show, chosen: Iterable[columns.Column]) -> Row:
    """Return a broadcast's row as it is answered, with these columns."""
    row = show(row)
    return {column.key: column.value(row) for column in chosen}


class OneBroadcast(ReadOnly):
    queryset = Broadcast.objects.all()
    serializer_class = shapes.BroadcastSerializer
    asks = Numbers

    @extend_schema(
        operation_id="broadcast",
        summary="One broadcast, with everything that is known of it",
        description=f"At most {MOST_TOLD} candidates and {MOST_TOLD} attempts; "
        "`attempts/?broadcast=` has all attempts.",
        parameters=[Numbers],
        responses=answers(shapes.BroadcastSerializer, 404),
        tags=RECORD,
    )
    def get(self, request: Request, pk: int) -> Response:
        asked = read(Numbers, request)
        row = columns.read(self.get_queryset().filter(pk=pk), columns.ALL).first()
        if row is None:
            raise NotFound(f"There is no broadcast {pk}. It never was, or the retention took it.")
        show = show_for(request, asked["unmasked"])
        return Response(in_whole(row, show))


def in_whole(row: Row, show: Show) -> Row:
    """Return a broadcast with its candidates and attempts, whose texts are private like its own."""
    of_it = Broadcast(pk=row["id"])
    parts = {
        "offered_to": of_it.candidates.order_by("position").values(*columns.CANDIDATE),
        "attempts": of_it.attempts.order_by("pk").values(*columns.ATTEMPT),
    }
    return shown(row, show, columns.ALL) | {
        name: [part_shown(part, row, show) for part in found[:MOST_TOLD]]
        for name, found in parts.items()
    }


class AttemptFilter(django_filters.FilterSet):
    """Attempts of a broadcast; without one, those that belong to none."""

    broadcast = django_filters.NumberFilter(
        label="The number of the broadcast that they are of; without it, attempts that belong to "
        "no broadcast",
        method="of_broadcast",
        decimal_places=0,
        max_digits=paging.NUMBER_DIGITS,
    )

    class Meta:
        model = ClaimAttempt
        fields = ()

    def filter_queryset(self, queryset: Any) -> Any:
        return queryset.filter(broadcast=self.form.cleaned_data["broadcast"])

    def of_broadcast(self, queryset: Any, name: str, value: int) -> Any:
        return queryset.filter(broadcast=value)


class Attempts(ReadOnly):
    queryset = ClaimAttempt.objects.all()
    serializer_class = shapes.AttemptSerializer
    filterset_class = AttemptFilter
    pagination_class = paging.ByNumber

    @extend_schema(
        operation_id="attempts",
        summary="Claim attempts, newest first",
        description="Those of one broadcast, or those that belong to none.",
        responses=answers(shapes.AttemptSerializer(many=True)),
        tags=RECORD,
    )
    def get(self, request: Request) -> Response:
        return self.page_of(self.filter_queryset(self.get_queryset()).values(*columns.ATTEMPT))


class Applications(ReadOnly):
    queryset = Presence.objects.all()
    serializer_class = shapes.ApplicationSerializer
    pagination_class = paging.ByApplication
    needs = "broadcasts.view_presence"

    @extend_schema(
        operation_id="applications",
        summary="The candidate applications that are connected now",
        description="By name; one that is connected to several servers is a row for each.",
        responses=answers(shapes.ApplicationSerializer(many=True)),
        tags=RUNNING,
    )
    def get(self, request: Request) -> Response:
        found = connected_applications(timezone.now())
        return self.page_of(found.values(*PRESENCE, named=F("server__name")), application)


def application(row: Row) -> Row:
    return {
        "application": row["application"],
        "server": row["named"],
        "user": row["user"],
        "since": row["since"],
    }


class Links(ReadOnly):
    queryset = AsteriskServer.objects.all()
    serializer_class = shapes.LinkSerializer
    pagination_class = paging.ByName
    needs = "broadcasts.view_linklease"

    @extend_schema(
        operation_id="links",
        summary="The links to the enabled Asterisk servers",
        description="By the name of the server.",
        responses=answers(shapes.LinkSerializer(many=True)),
        tags=RUNNING,
    )
    def get(self, request: Request) -> Response:
        return self.page_of(enabled_servers(), partial(link, now=timezone.now()))


def link(server: Row, now: datetime) -> Row:
    state = link_state(server, now)
    return {name: state[name] for name in ("name", "up", "since", "version", "error")}


class AccessFilter(django_filters.FilterSet):
    """Access events by what, who and when."""

    who = django_filters.CharFilter(label="The name of who did it")
    since = django_filters.IsoDateTimeFilter(
        label="From", field_name="at", lookup_expr="gte", validators=[NO_EARLIER, NO_LATER]
    )
    until = django_filters.IsoDateTimeFilter(
        label="Before", field_name="at", lookup_expr="lt", validators=[NO_EARLIER, NO_LATER]
    )

    class Meta:
        model = AccessEvent
        fields = ("kind",)


class AccessEvents(ReadOnly):
    queryset = AccessEvent.objects.all()
    serializer_class = shapes.AccessEventSerializer
    filterset_class = AccessFilter
    pagination_class = paging.ByTime
    needs = "broadcasts.view_accessevent"

    @extend_schema(
        operation_id="access_events",
        summary="Who came in, took something out, or looked at numbers in full, newest first",
        description="Nothing of them is ever removed or changed.",
        responses=answers(shapes.AccessEventSerializer(many=True)),
        tags=PROOF,
    )
    def get(self, request: Request) -> Response:
        return self.page_of(self.filter_queryset(self.get_queryset()).values(*EVENT))
