"""Showing callers' numbers, and masking them again."""

import pytest
from django.urls import reverse

from broadcasts.models import AccessEvent
from tests.builders import make_broadcast, make_member

pytestmark = pytest.mark.django_db

NUMBER = "+15551234567"
SHOW, MASK = reverse("web:unmask_numbers"), reverse("web:mask_numbers")


@pytest.fixture
def sign_in(client):
    """Return a function that signs one of a role in."""

    def signed_in(role):
        client.force_login(make_member(role))
        return client

    return signed_in


def pages():
    broadcast = make_broadcast(caller_number=NUMBER, caller_name="Example", reason=f"from {NUMBER}")
    columns = "columns=caller&columns=caller_name&columns=reason&columns=channel"
    return [reverse("web:broadcast", args=[broadcast.pk]), f"{reverse('web:history')}?{columns}"]


@pytest.mark.parametrize("role", ["operator", "admin", "auditor"])
def test_numbers_are_masked_for_everybody(sign_in, role):
    client = sign_in(role)
    for address in pages():
        page = client.get(address).content.decode()
        assert NUMBER not in page
        assert "Example" not in page
        assert "•••4567" in page


@pytest.mark.parametrize("role", ["admin", "auditor"])
def test_who_may_sees_numbers_for_a_reason_and_masks_them_again(sign_in, role):
    client = sign_in(role)
    for address in pages():
        assert "Show numbers" in client.get(address).content.decode()
        response = client.post(SHOW, {"reason": "a complaint", "next": address})
        assert response["Location"] == address
        page = client.get(address).content.decode()
        assert NUMBER in page
        assert "shown in full" in page
        assert client.post(MASK, {"next": address})["Location"] == address
        assert NUMBER not in client.get(address).content.decode()
    noted = AccessEvent.objects.filter(kind=AccessEvent.Kind.UNMASK)
    assert [(one.who, one.detail["reason"]) for one in noted] == [(role, "a complaint")] * 2


def test_an_operator_is_not_offered_the_numbers_and_does_not_get_them(sign_in):
    client = sign_in("operator")
    history, _ = pages()
    assert "Show numbers" not in client.get(history).content.decode()
    assert client.post(SHOW, {"reason": "curious", "next": history}).status_code == 403
    assert NUMBER not in client.get(history).content.decode()
    assert not AccessEvent.objects.filter(kind=AccessEvent.Kind.UNMASK).exists()


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_without_a_reason_nothing_is_shown(sign_in, reason):
    client = sign_in("auditor")
    response = client.post(SHOW, {"reason": reason, "next": reverse("web:history")})
    assert response.status_code == 200
    assert "errorlist" in response.content.decode()
    assert not AccessEvent.objects.filter(kind=AccessEvent.Kind.UNMASK).exists()


@pytest.mark.parametrize("elsewhere", ["https://elsewhere.example/", "//elsewhere.example", ""])
def test_nobody_is_sent_elsewhere(sign_in, elsewhere):
    client = sign_in("auditor")
    response = client.post(SHOW, {"reason": "a complaint", "next": elsewhere})
    assert response["Location"] == reverse("web:live_board")


def test_showing_and_masking_take_a_post(sign_in):
    client = sign_in("auditor")
    assert "Why do you need" in client.get(SHOW, {"reason": "x"}).content.decode()
    assert not AccessEvent.objects.filter(kind=AccessEvent.Kind.UNMASK).exists()
    assert client.get(MASK).status_code == 405
