"""One way in and out, for the live pages and for the admin."""

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.urls import reverse

from broadcasts.models import AccessEvent
from tests.builders import make_member, make_user

pytestmark = pytest.mark.django_db

SIGN_IN = "/sign-in/"


@pytest.fixture
def operator() -> User:
    return make_member(name="olga")


@pytest.fixture(autouse=True)
def nobody_has_tried():
    cache.clear()


def sign_in(client, **values):
    return client.post(SIGN_IN, {"username": "olga", "password": "secret-of-a-test", **values})


def test_who_signs_in_comes_to_the_live_board(client, operator):
    assert sign_in(client)["Location"] == "/"
    assert "Live board" in client.get("/").content.decode()


def test_who_signs_in_comes_to_where_they_wanted(client, operator):
    assert sign_in(client, next="/admin/changes/")["Location"] == "/admin/changes/"


def test_the_way_leads_to_no_other_site(client, operator):
    assert sign_in(client, next="https://elsewhere.example/")["Location"] == "/"


def test_a_wrong_password_is_said_and_not_shown_again(client, operator):
    page = sign_in(client, password="a-wrong-one").content.decode()
    assert "Please enter a correct username and password" in page
    assert "a-wrong-one" not in page


def test_the_admin_asks_at_the_same_place(client):
    answer = client.get(reverse("admin:changes"), follow=True)
    assert answer.redirect_chain[-1][0] == f"{SIGN_IN}?next=/admin/changes/"
    assert "Sign in" in answer.content.decode()


def test_who_may_not_enter_the_admin_is_told_so(client, operator):
    client.force_login(operator)
    answer = client.get(reverse("admin:index"), follow=True)
    assert answer.status_code == 403
    assert "You may not see this" in answer.content.decode()


@pytest.mark.parametrize("name", ["web:sign_out", "admin:logout"])
def test_both_ways_out_lead_to_the_sign_in(client, name):
    client.force_login(make_user("olga", is_staff=True))
    answer = client.post(reverse(name))
    assert answer["Location"] == SIGN_IN
    assert "_auth_user_id" not in client.session


def test_passwords_cannot_be_guessed_without_end(client, operator):
    answers = [sign_in(client, password=f"guess-{number}") for number in range(21)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    assert "Too many tries" in answers[-1].content.decode()
    assert 0 < int(answers[-1]["Retry-After"]) <= 61
    assert sign_in(client).status_code == 429, "the right one neither, lest it is found out"
    assert AccessEvent.objects.filter(kind=AccessEvent.Kind.SIGN_IN_FAILED).count() == 20


def test_tries_at_one_name_keep_nobody_else_out(client, operator):
    make_member(name="oscar")
    for number in range(21):
        sign_in(client, password=f"guess-{number}")
    assert sign_in(client, username="oscar")["Location"] == "/"


def test_an_address_cannot_try_names_without_end(client):
    for number in range(120):
        sign_in(client, username=f"name-{number}", password="")
    assert sign_in(client, username="another").status_code == 429
    answer = client.post(SIGN_IN, {"username": "another"}, REMOTE_ADDR="192.0.2.7")
    assert answer.status_code == 200
