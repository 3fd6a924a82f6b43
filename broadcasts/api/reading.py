"""What every address of the API has in common."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from broadcasts.access import MAY_SEE_RECORD

from . import parameters

Row = dict[str, Any]


class ReadOnly(GenericAPIView):
    """A view that only reads, and refuses what it does not understand.

    `needs` is the right that a token must have, or several of which it needs one; `asks` describes
    the parameters besides those of the filter and the paging.
    """

    http_method_names = ["get", "head"]
    needs: str | tuple[str, ...] = MAY_SEE_RECORD
    asks: type[Serializer] | None = None
    filter_backends = (filters.DjangoFilterBackend,)
    filterset_class: Any = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        parameters.refuse_others(request, self.known(), self.repeatable())

    def finalize_response(self, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-store"
        return response

    def known(self) -> set[str]:
        """Return the names of the parameters that there are."""
        names = {*self.filters()}
        if self.asks:
            names |= {*self.asks().fields}
        if self.paginator:
            names |= {self.paginator.cursor_query_param, self.paginator.page_size_query_param}
        return names

    def repeatable(self) -> set[str]:
        """Return the names of those that may be given more than once."""
        several = filters.MultipleChoiceFilter
        return {name for name, one in self.filters().items() if isinstance(one, several)}

    def filters(self) -> dict[str, Any]:
        return self.filterset_class.base_filters if self.filterset_class else {}

    def page_of(self, found: "QuerySet[Any]", shown: Callable[[Row], Row] = dict) -> Response:
        """Answer one page of a query of rows, each as `shown` makes it, or as it is."""
        rows = self.paginate_queryset(found)
        return self.get_paginated_response([shown(row) for row in rows])
