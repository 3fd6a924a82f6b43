"""Pages by key: the thousandth costs what the first does, and nothing is counted."""

from typing import Any

from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination

PER_PAGE = 50
MOST_PER_PAGE = 500


class HistoryPages(CursorPagination):
    """Pages of broadcasts, newest first, each continuing where the one before ended."""

    page_size = PER_PAGE
    max_page_size = MOST_PER_PAGE
    page_size_query_param = "page_size"
    ordering = ("-opened_at", "-id")

    def decode_cursor(self, request: Any) -> Cursor | None:
        """Return the place that the address names. Raises NotFound where it can be none."""
        cursor = super().decode_cursor(request)
        if cursor and cursor.position is not None and not self.is_position(cursor.position):
            raise NotFound(self.invalid_cursor_message)
        return cursor

    def is_position(self, text: str) -> bool:
        """Whether a cursor's text can be a place in this order."""
        return is_time(text)


def is_time(text: str) -> bool:
    """Whether a text is a time with its zone, and far enough from the calendar's ends."""
    try:
        at = parse_datetime(text)
    except ValueError:
        return False
    return at is not None and at.tzinfo is not None and 1970 <= at.year < 9000
