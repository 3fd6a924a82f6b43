"""Signing in, with so many tries a minute that nobody guesses passwords, or fills the record."""

import hashlib
from typing import Any

from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from rest_framework.throttling import SimpleRateThrottle

from broadcasts.access import address_of

TRIES_OF_A_NAME = "20/minute"
# Behind a proxy that hides them, all readers share one address.
TRIES_FROM_AN_ADDRESS = "120/minute"
TOO_MANY_REQUESTS = 429


class Tries(SimpleRateThrottle):
    """Counts the tries of one name or address, in each process for itself."""

    def __init__(self, rate: str, whose: str) -> None:
        self.rate = rate
        self._key = "sign-in-" + hashlib.sha256(whose.encode()).hexdigest()
        super().__init__()

    def get_cache_key(self, request: Any, view: Any) -> str:
        return self._key


class SignIn(LoginView):
    """The page to sign in; a try too many is answered 429 before the password is looked at."""

    template_name = "web/sign_in.html"
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        name = request.POST.get("username", "").strip().lower()
        for tries in (
            Tries(TRIES_FROM_AN_ADDRESS, f"address {address_of(request)}"),
            Tries(TRIES_OF_A_NAME, f"name {name}"),
        ):
            if not tries.allow_request(request, self):
                return self._refused(tries.wait() or 1)
        return super().post(request, *args, **kwargs)

    def _refused(self, seconds: float) -> HttpResponse:
        context = self.get_context_data(form=self.get_form_class()(self.request), too_many=True)
        answer = self.render_to_response(context, status=TOO_MANY_REQUESTS)
        answer.headers["Retry-After"] = str(round(seconds + 0.5))
        return answer
