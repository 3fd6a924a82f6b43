"""What is told of an error, be it in the log, mailed to admins or shown while DEBUG is on."""

import logging
import re
from collections.abc import Iterable
from types import FrameType
from typing import Any

from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from broadcasts.domain.errors import in_a_line

# What PostgreSQL tells of the row behind its first line, up to the next error of a traceback.
FURTHER = re.compile(
    r"^(DETAIL|HINT|CONTEXT|QUERY):.*?(?=^\n?(?:The above exception|During handling)|\Z)",
    re.MULTILINE | re.DOTALL,
)


class Lines(logging.Formatter):
    """Lines of the log; its tracebacks tell no values of rows."""

    def formatException(self, info: Any) -> str:  # noqa: N802 (logging's own name)
        return FURTHER.sub("", super().formatException(info)).rstrip()


class Reporter(ExceptionReporter):
    """Tells of errors their first line, and of an address nothing that it asks for."""

    def get_traceback_data(self) -> dict[str, Any]:
        data = super().get_traceback_data()
        if "exception_value" in data:
            data["exception_value"] = in_a_line(self.exc_value)
        for frame in data["frames"]:
            if frame.get("exc_cause"):
                frame["exc_cause"] = in_a_line(frame["exc_cause"])
        if self.request is not None:
            hidden = self.filter.cleansed_substitute
            data["request_GET_items"] = [(name, hidden) for name in self.request.GET]
            data["request_insecure_uri"] = self.request.build_absolute_uri(self.request.path)
        return data


class NothingTyped(SafeExceptionReporterFilter):
    """Tells where it failed, and no value that somebody typed or that was at hand there.

    Passwords of servers, people and candidates pass through forms and local variables under many
    names, so none is picked out: all values are left out.
    """

    # Django's own, and what holds addresses with a user and a password in them.
    hidden_settings = re.compile(
        "API|AUTH|TOKEN|KEY|SECRET|PASS|SIGNATURE|HTTP_COOKIE|URL|LAYERS|CACHES", re.IGNORECASE
    )

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_safe_request_meta(self, request: HttpRequest | None) -> dict[str, Any]:
        hidden = ("QUERY_STRING", "HTTP_REFERER")
        meta = super().get_safe_request_meta(request)
        return meta | {name: self.cleansed_substitute for name in hidden if name in meta}

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, str]:
        """Return the names of what was posted."""
        names = request.POST if request else ()
        return dict.fromkeys(names, self.cleansed_substitute)

    def get_cleansed_multivaluedict(
        self, request: HttpRequest, multivaluedict: "MultiValueDict[str, Any]"
    ) -> "MultiValueDict[str, Any]":
        return MultiValueDict({name: [self.cleansed_substitute] for name in multivaluedict})

    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: FrameType
    ) -> Iterable[tuple[str, Any]]:
        """Return no variables."""
        return ()
