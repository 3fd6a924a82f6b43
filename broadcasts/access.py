"""What people may see of callers, and the record of who came in and who looked."""

from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.contrib.sessions.backends.base import SessionBase
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from broadcasts.domain.numbers import masked
from broadcasts.history.numbers import Show, in_full
from broadcasts.models import AccessEvent

MAY_UNMASK = "broadcasts.unmask_numbers"
MAY_EXPORT = "broadcasts.export_record"
MAY_SEE_RECORD = "broadcasts.view_broadcast"

UNMASKED_FOR = timedelta(minutes=15)
UNMASKED_UNTIL = "numbers_unmasked_until"


class Visitor(Protocol):
    """A request, or anything else that somebody's session came with."""

    user: Any
    session: SessionBase


def note(request: HttpRequest, kind: AccessEvent.Kind, **detail: Any) -> AccessEvent:
    """Record what the visitor did just now; `detail` has to be JSON and free of secrets."""
    who = request.user.get_username() if request.user.is_authenticated else ""
    return AccessEvent.note(kind, who, address_of(request), **detail)


def address_of(request: HttpRequest | None) -> str:
    """Return where a request came from; behind a proxy that is the proxy."""
    return request.META.get("REMOTE_ADDR", "") or "" if request else ""


def unmasked_until(visitor: Visitor) -> datetime | None:
    """Return until when the visitor sees numbers in full, or None for not at all."""
    until = visitor.session.get(UNMASKED_UNTIL, 0)
    if timezone.now().timestamp() >= until or not visitor.user.has_perm(MAY_UNMASK):
        return None
    return datetime.fromtimestamp(until, UTC)


def is_unmasked(visitor: Visitor) -> bool:
    """Whether the visitor sees numbers in full: asked for lately, and still allowed."""
    return unmasked_until(visitor) is not None


def show_for(visitor: Visitor) -> Show:
    """Return how the visitor is shown the private texts of a row."""
    return in_full if is_unmasked(visitor) else masked


def unmask(request: HttpRequest, reason: str) -> None:
    """Show numbers in full for a while, and record that. The caller checks MAY_UNMASK."""
    note(request, AccessEvent.Kind.UNMASK, reason=reason, minutes=UNMASKED_FOR.seconds // 60)
    request.session[UNMASKED_UNTIL] = (timezone.now() + UNMASKED_FOR).timestamp()


def mask(request: HttpRequest) -> None:
    """Show the last digits alone again."""
    request.session.pop(UNMASKED_UNTIL, None)


@receiver(user_logged_in)
def note_sign_in(request: HttpRequest | None, user: Any, **_: Any) -> None:
    AccessEvent.note(AccessEvent.Kind.SIGN_IN, user.get_username(), address_of(request))


@receiver(user_logged_out)
def note_sign_out(request: HttpRequest | None, user: Any, **_: Any) -> None:
    if user is not None:
        AccessEvent.note(AccessEvent.Kind.SIGN_OUT, user.get_username(), address_of(request))


@receiver(user_login_failed)
def note_failure(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """Record the name that was tried if somebody has it: else it may be a password, mistyped there.

    The password itself is not among what Django passes on.
    """
    name = credentials.get("username", "")
    known = get_user_model().objects.filter(username=name).exists()
    AccessEvent.note(AccessEvent.Kind.SIGN_IN_FAILED, name if known else "", address_of(request))
