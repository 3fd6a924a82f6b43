"""The time zone in which times are shown: the one that a cookie of the viewer's names."""

from functools import cache
from itertools import groupby
from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.deprecation import MiddlewareMixin

from broadcasts.web.returning import where_one_was
from broadcasts.web.words import zone_in_words

COOKIE = "zone"
# A zone that somebody chose is kept; zone.js sets that of the browser until it is closed.
KEPT_FOR = 365 * 24 * 3600


@cache
def known() -> frozenset[str]:
    """Return the names of all time zones; asking for them reads many files."""
    return frozenset(available_timezones())


class ViewersZone(MiddlewareMixin):
    """Shows times on people's pages in the viewer's zone; the admin keeps to TIME_ZONE."""

    def process_view(self, request: HttpRequest, *_: Any) -> None:
        name = request.COOKIES.get(COOKIE, "")
        if request.resolver_match.app_name == "web" and name in known():
            timezone.activate(name)
        else:
            timezone.deactivate()


@login_required
def zone(request: HttpRequest) -> HttpResponse:
    """Let the viewer choose a zone, or leave it to the browser again."""
    if request.method != "POST":
        context = {
            "areas": areas(),
            "shown": request.COOKIES.get(COOKIE, ""),
            "words": zone_in_words(),
            "next": where_one_was(request),
        }
        return render(request, "web/zone.html", context)
    name = request.POST.get("zone", "")
    response = redirect(where_one_was(request))
    if not name:
        response.delete_cookie(COOKIE)
    elif name in known():
        secure = settings.SESSION_COOKIE_SECURE
        response.set_cookie(COOKIE, name, KEPT_FOR, secure=secure, samesite="Lax")
    else:
        raise BadRequest("There is no time zone of this name.")
    return response


def areas() -> list[tuple[str, list[str]]]:
    """Return the zones by the part of the world that their names begin with."""
    named = sorted(known(), key=lambda name: (area_of(name), name))
    return [(area, list(names)) for area, names in groupby(named, key=area_of)]


def area_of(name: str) -> str:
    return name.partition("/")[0] if "/" in name else "Others"
