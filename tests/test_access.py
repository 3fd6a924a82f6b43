"""Who came in, and who sees numbers in full."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.contrib.sessions.backends.db import SessionStore
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from broadcasts import access
from broadcasts.models import AccessEvent
from tests.builders import make_user

pytestmark = pytest.mark.django_db

ROW = {"caller_number": "+15550100"}


@pytest.fixture
def request_of():
    """Return a function that makes a request of a person, with a session."""

    def made(user):
        request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.7")
        request.user, request.session = user, SessionStore()
        return request

    return made


def auditor():
    user = make_user("ada")
    user.user_permissions.add(Permission.objects.get(codename="unmask_numbers"))
    return user


def events():
    return list(AccessEvent.objects.order_by("pk").values_list("kind", "who", "address"))


def test_signing_in_and_out_is_recorded_and_so_is_a_failure(client):
    make_user("olga")
    sign_in = reverse("web:sign_in")
    client.post(sign_in, {"username": "olga", "password": "guessed"}, REMOTE_ADDR="192.0.2.7")
    client.post(sign_in, {"username": "olga", "password": "secret-of-a-test"})
    client.post(reverse("web:sign_out"))
    assert events() == [
        ("sign_in_failed", "olga", "192.0.2.7"),
        ("sign_in", "olga", "127.0.0.1"),
        ("sign_out", "olga", "127.0.0.1"),
    ]
    assert "guessed" not in str(AccessEvent.objects.values())


def test_a_password_that_was_typed_as_a_name_is_not_kept(client):
    make_user("olga")
    values = {"username": "my-password", "password": "olga"}
    client.post(reverse("web:sign_in"), values, REMOTE_ADDR="192.0.2.7")
    assert events() == [("sign_in_failed", "", "192.0.2.7")]
    assert "my-password" not in str(AccessEvent.objects.values())


def test_numbers_are_masked_until_somebody_who_may_asks_for_them(request_of):
    request = request_of(auditor())
    assert access.show_for(request)(ROW) == {"caller_number": "•••0100"}
    access.unmask(request, "a complaint")
    assert access.show_for(request)(ROW) == ROW
    event = AccessEvent.objects.get()
    assert (event.kind, event.who, event.address) == ("unmask", "ada", "192.0.2.7")
    assert event.detail == {"reason": "a complaint", "minutes": 15}
    access.mask(request)
    assert not access.is_unmasked(request)


def test_numbers_are_masked_again_after_a_while(request_of, monkeypatch):
    request = request_of(auditor())
    access.unmask(request, "a complaint")
    later = timezone.now() + timedelta(minutes=15, seconds=1)
    monkeypatch.setattr(access.timezone, "now", lambda: later)
    assert not access.is_unmasked(request)


def test_who_may_not_any_more_sees_them_no_longer(request_of):
    user = auditor()
    request = request_of(user)
    access.unmask(request, "a complaint")
    user.user_permissions.clear()
    request.user = type(user).objects.get(pk=user.pk)
    assert not access.is_unmasked(request)
