"""One way in and out, for the live pages and for the admin."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from tests.builders import make_member, make_user

pytestmark = pytest.mark.django_db

SIGN_IN = "/sign-in/"


@pytest.fixture
def operator() -> User:
    return make_member(name="olga")


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
