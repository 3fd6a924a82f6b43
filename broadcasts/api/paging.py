"""Pages by key, strict about what they are asked for."""

from typing import Any

from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor
from rest_framework.request import Request

from broadcasts.history.changes import NEWEST_FIRST
from broadcasts.history.paging import MOST_PER_PAGE, PER_PAGE, HistoryPages

NO_CURSOR = "This is no cursor of this list: follow `next` and `previous` as they are."
NUMBER_DIGITS = 18


class StrictPages(HistoryPages):
    """Pages of broadcasts; a page of a size or a place that there is not is refused."""

    page_size_query_description = f"Rows on a page, 1 to {MOST_PER_PAGE}; {PER_PAGE} unless told."
    cursor_query_description = "The place of a page, as `next` and `previous` name it."

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Describe the parameters; of a page's size also the limits."""
        described = super().get_schema_operation_parameters(view)
        for one in described:
            if one["name"] == self.page_size_query_param:
                limits = {"minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
                one["schema"] |= limits
        return described

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": {**link, "description": "Of the next page; null on the last one."},
                "previous": {**link, "description": "Of the page before; null on the first one."},
                "results": schema,
            },
        }

    def get_page_size(self, request: Request) -> int:
        asked = request.query_params.get(self.page_size_query_param, str(self.page_size))
        if not (is_number(asked) and 1 <= int(asked) <= self.max_page_size):
            words = f"A page has 1 to {self.max_page_size} rows."
            raise ValidationError({self.page_size_query_param: [words]})
        return int(asked)

    def decode_cursor(self, request: Request) -> Cursor | None:
        try:
            return super().decode_cursor(request)
        except NotFound:
            raise ValidationError({self.cursor_query_param: [NO_CURSOR]}) from None


class ByNumber(StrictPages):
    """Pages of what has nothing but its number to be in order by, newest first."""

    ordering = ("-id",)

    def is_position(self, text: str) -> bool:
        return is_number(text)


class ByName(StrictPages):
    """Pages of servers."""

    ordering = ("name",)

    def is_position(self, text: str) -> bool:
        return "\0" not in text


class ByApplication(ByName):
    """Pages of applications."""

    ordering = ("application", "id")


class ByTime(StrictPages):
    """Pages of what has happened, newest first."""

    ordering = ("-at", "-id")


class ByChange(StrictPages):
    """Pages of the entries of several histories, newest first."""

    ordering = NEWEST_FIRST


def is_number(text: str) -> bool:
    return text.isdecimal() and len(text) <= NUMBER_DIGITS
