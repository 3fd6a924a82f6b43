"""Reports: the figures of the pages, as JSON."""

from zoneinfo import ZoneInfo

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from broadcasts.reports.figures import Table
from broadcasts.reports.periods import MOST_DAYS, PERIODS, USUAL_PERIOD, PeriodForm
from broadcasts.reports.tables import all_tables

from .errors import answers
from .parameters import Zoned, read
from .reading import ReadOnly, Row


class Asked(Zoned):
    """Which period a report covers."""

    period = serializers.ChoiceField(
        choices=[(key, label) for key, (label, _) in PERIODS.items()],
        default=USUAL_PERIOD,
        help_text="How much time until now, unless `first` names a day.",
    )
    first = serializers.DateField(
        required=False, help_text=f"The first day; a report covers {MOST_DAYS} days at most."
    )
    last = serializers.DateField(required=False, help_text="The last day; today unless told.")
    server = serializers.CharField(
        required=False, help_text="The name of an Asterisk server; all of them unless told."
    )


class ColumnSerializer(serializers.Serializer):
    key = serializers.CharField()
    label = serializers.CharField()
    kind = serializers.ChoiceField(
        choices=["time", "text", "count", "ms", "share", "ratio"],
        help_text="What its values are: a `share` is one of 1.",
    )


class ReportSerializer(serializers.Serializer):
    """A report: values by the keys of the columns, null where there is nothing to say."""

    key = serializers.CharField()
    title = serializers.CharField()
    columns = ColumnSerializer(many=True)
    rows = serializers.ListField(child=serializers.DictField())
    total = serializers.DictField(help_text="What the rows come to in all.")


class ReportsSerializer(serializers.Serializer):
    """Every report of a period."""

    results = ReportSerializer(many=True)


class Reports(ReadOnly):
    serializer_class = ReportsSerializer
    asks = Asked

    @extend_schema(
        operation_id="reports",
        summary="Every report of a period",
        description="Outcomes and time to claim over time, applications compared, time-outs by "
        "hour and weekday, failed hand-overs. Times are those of `zone`, with its offset.",
        parameters=[Asked],
        responses=answers(ReportsSerializer),
        tags=["The record"],
    )
    def get(self, request: Request) -> Response:
        zone = ZoneInfo(read(Zoned, request)["zone"])
        with timezone.override(zone):
            form = PeriodForm(request.query_params)
            if not form.is_valid():
                raise ValidationError(form.errors)
        tables = all_tables(dict(request.query_params.lists()), zone)
        return Response({"results": [told(table) for table in tables]})


def told(table: Table) -> Row:
    """Return a report with the values of each row by the keys of its columns."""
    keys = [column.key for column in table.columns]
    *rows, total = (dict(zip(keys, values, strict=True)) for values in table.values())
    columns = [{"key": one.key, "label": one.label, "kind": one.kind} for one in table.columns]
    return {
        "key": table.key,
        "title": table.title,
        "columns": columns,
        "rows": rows,
        "total": total,
    }
