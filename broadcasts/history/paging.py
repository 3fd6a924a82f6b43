"""Pages by key: the thousandth costs what the first does, and nothing is counted."""

from rest_framework.pagination import CursorPagination

PER_PAGE = 50
MOST_PER_PAGE = 500


class HistoryPages(CursorPagination):
    """Pages of broadcasts, newest first, each continuing where the one before ended."""

    page_size = PER_PAGE
    max_page_size = MOST_PER_PAGE
    page_size_query_param = "page_size"
    ordering = ("-opened_at", "-id")
