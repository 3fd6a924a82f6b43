"""The description of the API: for programs as OpenAPI, for people as a page."""

from functools import cache
from typing import Any

from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer2, OpenApiYamlRenderer2
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import NotFound
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from broadcasts.access import MAY_SEE_RECORD

from .authentication import BearerToken
from .in_words import addresses_of
from .rights import MayRead


@cache
def schema() -> dict[str, Any]:
    """Return the OpenAPI description; it says nothing that depends on who asks."""
    return SchemaGenerator().get_schema(request=None, public=True)


class MayReadOrSee(BasePermission):
    """Lets in a token that may read, and people whose session may see the record."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.auth is not None:
            return MayRead().has_permission(request, view)
        return request.user.has_perm(MAY_SEE_RECORD)


@extend_schema(exclude=True)
class Schema(APIView):
    """The OpenAPI description, as JSON or YAML; for a signed-in person's browser, too."""

    http_method_names = ["get", "head"]
    authentication_classes = [BearerToken, SessionAuthentication]
    permission_classes = [MayReadOrSee]
    renderer_classes = [OpenApiJsonRenderer2, OpenApiYamlRenderer2]
    needs = MAY_SEE_RECORD

    def get(self, request: Request) -> Response:
        return Response(schema())


@extend_schema(exclude=True)
class Nothing(APIView):
    """Answers in the API's own shape where there is nothing."""

    http_method_names = ["get", "head"]
    needs = MAY_SEE_RECORD

    def get(self, request: Request) -> Response:
        raise NotFound("There is nothing at this address. Those that there are end with a slash.")


@require_safe
@login_required
@permission_required(MAY_SEE_RECORD, raise_exception=True)
def page(request: HttpRequest) -> HttpResponse:
    """The description as a page."""
    base = request.build_absolute_uri("/").rstrip("/")
    return render(
        request, "api/reference.html", {"base": base, "addresses": addresses_of(schema())}
    )
