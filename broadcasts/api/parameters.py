"""What a request may ask for besides a filter, and what it may not."""

from collections.abc import Collection
from typing import Any
from zoneinfo import available_timezones

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from broadcasts.history import columns

UNKNOWN = "There is no parameter of this name here."
ONCE = "This can be given once only."


class Numbers(serializers.Serializer):
    """Whether callers' numbers are shown in full."""

    unmasked = serializers.BooleanField(
        default=False,
        help_text="Whether callers' numbers are shown in full; the token must allow it, and it is "
        "recorded.",
    )


class Zoned(serializers.Serializer):
    """What zone times are meant in."""

    zone = serializers.CharField(
        default="UTC",
        help_text="The time zone that `hour`, `weekday` and times without an offset are meant in, "
        "such as `Europe/Berlin`. Times are answered in UTC.",
    )

    def validate_zone(self, name: str) -> str:
        if name not in available_timezones():
            raise serializers.ValidationError("There is no such time zone.")
        return name


class Reading(Numbers, Zoned):
    """How a list of broadcasts is read."""

    fields = serializers.CharField(
        required=False,
        help_text="Columns, with commas between: "
        + ", ".join(f"`{column.key}`" for column in columns.ALL)
        + ". Unless told: `id` and what a page shows.",
    )

    def validate_fields(self, text: str) -> tuple[columns.Column, ...]:
        keys = [key.strip() for key in text.split(",") if key.strip()]
        unknown = [key for key in keys if key not in columns.BY_KEY]
        if unknown:
            known = ", ".join(columns.BY_KEY)
            raise serializers.ValidationError(f"No such column: {', '.join(unknown)}. Of: {known}.")
        return columns.chosen(keys)


def read(shape: type[serializers.Serializer], request: Request) -> dict[str, Any]:
    """Return what a request asks for.

    Raises:
        ValidationError: a value is not one that the parameter can have.
    """
    asked = shape(data=request.query_params.dict())
    asked.is_valid(raise_exception=True)
    return asked.validated_data


def refuse_others(request: Request, known: Collection[str], several: Collection[str]) -> None:
    """Refuse parameters that are not known, and all but `several` that are given twice.

    What was ignored could have been meant as a filter, and the answer be taken for its.
    """
    wrong = {name: [UNKNOWN] for name in request.query_params if name not in known}
    for name, values in request.query_params.lists():
        if len(values) > 1 and name not in several:
            wrong.setdefault(name, [ONCE])
    if wrong:
        raise ValidationError(wrong)
