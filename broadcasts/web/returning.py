"""Back to the page that a form was on."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme


def where_one_was(request: HttpRequest) -> str:
    """Return the address that `next` names, if it is one of ours, or else the live board's."""
    address = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return address if ours else reverse("web:live_board")
