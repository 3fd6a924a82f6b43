"""Who a program speaks for: the owner of its token, in the token's role."""

import logging
from typing import Any

from django.db import DatabaseError
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.auth import TokenAuthentication
from knox.crypto import hash_token
from rest_framework.exceptions import AuthenticationFailed

from broadcasts.domain.errors import in_a_line
from broadcasts.models import ApiToken

log = logging.getLogger(__name__)

HOW_TO_SIGN = "Send the header `Authorization: Bearer` with a token from the page /tokens/."


class BearerToken(TokenAuthentication):
    """Takes `Authorization: Bearer sb_…`.

    A token is found by its hash in one query, and nothing is cleaned up on the way: knox would read
    all of the owner's tokens and delete those that have expired, in a request that only reads.
    """

    def authenticate_credentials(self, token: bytes) -> tuple[Any, ApiToken]:
        found = ApiToken.objects.select_related("user", "role").filter(pk=digest_of(token)).first()
        if found is None:
            raise AuthenticationFailed(f"There is no such token, or it was ended. {HOW_TO_SIGN}")
        if found.is_expired:
            raise AuthenticationFailed("This token has expired. Make another on the page /tokens/.")
        if not found.user.is_active:
            raise AuthenticationFailed("This token's owner may not sign in any more.")
        note_use(found)
        return found.user, found


def digest_of(token: bytes) -> str:
    """Return the hash that is kept of a token; text that is no token has one, too."""
    return hash_token(token.decode(errors="replace"))


def note_use(token: ApiToken) -> None:
    """Note the use; that it cannot be written down is no reason not to read."""
    try:
        token.note_use(timezone.now())
    except DatabaseError as error:
        log.warning("The use of an API token could not be noted: %s", in_a_line(error))


class BearerTokenScheme(OpenApiAuthenticationExtension):
    """Describes it in the schema."""

    target_class = BearerToken
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token that somebody made for themselves and a role on the page "
            "/tokens/. It may do what its owner and its role may do at the moment.",
        }
