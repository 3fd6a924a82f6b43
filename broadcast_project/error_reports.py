"""What a report of an error may tell, be it mailed to admins or shown while DEBUG is on."""

import re
from collections.abc import Iterable
from types import FrameType
from typing import Any

from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from django.views.debug import SafeExceptionReporterFilter


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
