"""Errors: one shape for all of them, each with what to do."""

import logging
from typing import Any

from django.db import DatabaseError, InterfaceError
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers, status
from rest_framework.exceptions import (
    APIException,
    MethodNotAllowed,
    NotAcceptable,
    NotAuthenticated,
    Throttled,
    ValidationError,
)
from rest_framework.response import Response
from rest_framework.views import exception_handler

from .authentication import HOW_TO_SIGN

log = logging.getLogger(__name__)


class ErrorSerializer(serializers.Serializer):
    """What every request that fails is answered with."""

    code = serializers.CharField(read_only=True, help_text="A word for programs.")
    message = serializers.CharField(read_only=True, help_text="What is wrong, and what to do.")
    parameters = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="Of a request that is not understood: what is wrong with which parameter.",
    )


class Unavailable(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "The record cannot be read at the moment. Try again in a few seconds."
    default_code = "unavailable"


class Fault(APIException):
    default_detail = "Something went wrong on our side, and is in the log. Try again later."
    default_code = "fault"


def answer(error: Exception, context: dict[str, Any]) -> Response:
    """Return the answer to a request that failed; what is not the program's fault is logged."""
    response = exception_handler(error, context)
    if response is None:
        log.error("The API failed at %s", context["request"].path, exc_info=error)
        error = Unavailable() if isinstance(error, (DatabaseError, InterfaceError)) else Fault()
        response = Response(status=error.status_code)
    response.data = told_of(error, response)
    return response


def told_of(error: Exception, response: Response) -> dict[str, Any]:
    """Return an error's words in the one shape."""
    if isinstance(error, ValidationError):
        return {
            "code": "invalid",
            "message": "Nothing was read, as the request is not understood: see `parameters`.",
            "parameters": error.detail,
        }
    if not isinstance(error, APIException):  # Django's own 404 and 403.
        return {"code": response.data["detail"].code, "message": str(response.data["detail"])}
    return {"code": error.default_code, "message": words_of(error)}


def words_of(error: APIException) -> str:
    """Return what to say of an error whose own words do not say what to do."""
    if isinstance(error, NotAuthenticated):
        return f"This is for programs that have a token. {HOW_TO_SIGN}"
    if isinstance(error, MethodNotAllowed):
        return "The record can only be read here: use GET."
    if isinstance(error, NotAcceptable):
        return "There is no such format here: ask for `application/json`."
    if isinstance(error, Throttled):
        return f"This token asks too often. Try again in {int(error.wait or 0) + 1} seconds."
    return str(error.detail)


TELLING = {
    400: ("invalid", "A parameter is unknown or has a value that it cannot have."),
    401: ("not_authenticated", "There is no token, or none that counts any more."),
    403: ("permission_denied", "The token's owner and role do not allow this at the moment."),
    404: ("not_found", "There is nothing of this address or number."),
    429: ("throttled", "The token asks too often; the header `Retry-After` says when to go on."),
}


def answers(shape: Any, *more: int) -> dict[int, Any]:
    """Return what a view may answer: `shape`, or one of the errors, 404 only if in `more`."""
    return {200: shape} | {code: described(code) for code in sorted({400, 401, 403, 429, *more})}


def described(status_code: int) -> OpenApiResponse:
    """Return the description of one error."""
    code, words = TELLING[status_code]
    value: dict[str, Any] = {"code": code, "message": words}
    if status_code == status.HTTP_400_BAD_REQUEST:
        value["parameters"] = {"wnner": ["There is no parameter of this name."]}
    example = OpenApiExample(code, value=value, status_codes=[str(status_code)])
    return OpenApiResponse(ErrorSerializer, description=words, examples=[example])
