"""What a token may do, how often, and when it sees callers' numbers in full."""

from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core.cache import cache
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from broadcasts.access import MAY_UNMASK, UNMASKED_FOR, note
from broadcasts.domain.numbers import mask_number, masked
from broadcasts.history.numbers import Show, in_full
from broadcasts.models import AccessEvent

# Parameters that say which page of a list is meant, and not which list.
ABOUT_THE_PAGE = ("cursor", "page_size")
# Parameters whose value may be a caller's number.
NUMBERS = ("q", "caller")


class MayRead(BasePermission):
    """Lets in who has the right that a view names in `needs`, or one of several, by a token."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.auth is None:
            return False
        needs = (view.needs,) if isinstance(view.needs, str) else view.needs
        self.message = (
            f"This token's role {request.auth.role} does not allow this ({' or '.join(needs)}), "
            "or its owner has that role no longer. Ask an administrator."
        )
        return not rights_of(request).isdisjoint(needs)


class TokenRate(SimpleRateThrottle):
    """Counts the requests of each token, in each process for itself."""

    scope = "token"

    def get_rate(self) -> str | None:
        return settings.API_RATE or None

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        if request.auth is None:
            return None
        return self.cache_format % {"scope": self.scope, "ident": request.auth.pk}


def rights_of(request: Request) -> frozenset[str]:
    """Return what the token of a request may do, asked once per request."""
    if not hasattr(request.auth, "known_rights"):
        request.auth.known_rights = request.auth.rights()
    return request.auth.known_rights


def show_for(request: Request, unmasked: bool) -> Show:
    """Return how rows are shown; numbers in full are asked for, allowed, and recorded."""
    if not unmasked:
        return masked
    if MAY_UNMASK not in rights_of(request):
        raise PermissionDenied(
            f"This token may not see callers' numbers in full ({MAY_UNMASK}). Leave out "
            "`unmasked`, or use a token of a role that may."
        )
    note_unmasking(request)
    return in_full


def note_unmasking(request: Request) -> None:
    """Record it once for a token and what it asks for, as long as a page stays unmasked.

    So the pages of one list are one event, and everything else that is asked for is its own.
    """
    asked = [each for each in request.query_params.lists() if each[0] not in ABOUT_THE_PAGE]
    known = f"{request.auth.pk} {request.path} {sorted(asked)}"
    key = f"api.unmasked.{sha256(known.encode(errors='replace')).hexdigest()}"
    if cache.get(key):
        return
    told = {name: told_of(name, values) for name, values in asked}
    note(request, AccessEvent.Kind.UNMASK, token=request.auth.name, path=request.path, filter=told)
    cache.set(key, True, UNMASKED_FOR.total_seconds())


def told_of(name: str, values: list[str]) -> list[str]:
    """Return what is recorded of a parameter: no number in full."""
    return [mask_number(value) for value in values] if name in NUMBERS else values
