"""The page where people make and end the tokens of their programs."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from broadcasts.models import AccessEvent, ApiToken
from broadcasts.web import tokens
from tests.builders import make_member, make_user

pytestmark = pytest.mark.django_db

PAGE, END = reverse("web:tokens"), reverse("web:end_token")


def visitor(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def role_of(name: str) -> Group:
    return Group.objects.get(name=name)


def make(client, **values):
    usual = {"name": "wallboard", "role": role_of("operator").pk, "days": 30}
    return client.post(PAGE, usual | values)


def secret_in(answer) -> str:
    return re.search(r'id="secret"[^>]*>(sb_[0-9a-f]{64})<', answer.content.decode())[1]


def make_token(owner, role="operator", **columns) -> ApiToken:
    token, _ = ApiToken.objects.create(
        user=owner, expiry=timedelta(days=1), name="wallboard", role=role_of(role), **columns
    )
    return token


def test_a_token_is_shown_once_and_counts():
    client = visitor(make_member("operator"))
    answer = make(client)
    secret = secret_in(answer)
    assert "no-store" in answer["Cache-Control"]
    assert secret not in client.get(PAGE).content.decode()
    read = Client(headers={"authorization": f"Bearer {secret}"}).get("/api/v1/broadcasts/")
    assert read.status_code == 200


def test_it_keeps_what_it_is_for_and_how_long():
    user = make_member("operator")
    before = timezone.now()
    make(visitor(user))
    token = ApiToken.objects.get()
    assert (token.user, token.name, token.role.name) == (user, "wallboard", "operator")
    assert before < token.expiry - timedelta(days=30) < timezone.now()


def test_who_made_and_who_ended_a_token_is_recorded_without_the_token():
    client = visitor(make_member("operator"))
    secret = secret_in(make(client))
    token = ApiToken.objects.get()
    client.post(END, {"token": token.token_key})
    ended, made = AccessEvent.objects.filter(kind__startswith="token")
    told = {"token": "wallboard", "begins": secret[:15], "role": "operator", "owner": "operator"}
    assert (made.kind, made.who, made.detail) == ("token", "operator", told)
    assert (ended.kind, ended.who, ended.detail) == ("token_end", "operator", told)
    assert secret not in str(AccessEvent.objects.values())


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"name": " "}, "This field is required."),
        ({"name": "x" * 81}, "at most 80 characters"),
        ({"days": "36500"}, "36500 is not one of the available choices"),
        ({"days": ""}, "This field is required."),
        ({"role": ""}, "This field is required."),
        ({"role": "nobody"}, "not one of the available choices"),
    ],
)
def test_nonsense_makes_no_token_and_is_told(values, says):
    answer = make(visitor(make_member("operator")), **values)
    assert says in answer.content.decode()
    assert not ApiToken.objects.exists()
    assert not AccessEvent.objects.filter(kind="token").exists()


def test_nobody_gives_a_role_that_they_have_not():
    answer = make(visitor(make_member("operator")), role=role_of("auditor").pk)
    assert "not one of the available choices" in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_a_superuser_gives_any_role():
    make(visitor(make_user(is_superuser=True)), role=role_of("auditor").pk)
    assert ApiToken.objects.get().role.name == "auditor"


def test_who_has_the_right_but_no_role_is_told_what_to_do():
    user = make_user()
    user.user_permissions.set(role_of("operator").permissions.all())
    assert "you have none. Ask an administrator" in visitor(user).get(PAGE).content.decode()


def test_who_may_not_see_the_record_makes_no_token():
    client = visitor(make_user())
    assert client.get(PAGE).status_code == make(client).status_code == 403
    assert not ApiToken.objects.exists()


def test_there_is_an_end_to_how_many_somebody_has(monkeypatch):
    monkeypatch.setattr(tokens, "MOST_EACH", 1)
    client = visitor(make_member("operator"))
    make(client)
    assert "end one first" in make(client).content.decode()
    assert ApiToken.objects.count() == 1


def test_an_ended_token_is_gone():
    user = make_member("operator")
    token, other = make_token(user), make_token(user)
    assert visitor(user).post(END, {"token": token.token_key})["Location"] == PAGE
    assert list(ApiToken.objects.all()) == [other]


@pytest.mark.parametrize("role", ["operator", "auditor"])
def test_nobody_ends_the_token_of_another(role):
    token = make_token(make_user("owner"))
    assert visitor(make_member(role)).post(END, {"token": token.token_key}).status_code == 404
    assert ApiToken.objects.exists()


def test_an_admin_sees_and_ends_the_tokens_of_others():
    owner = make_user("owner")
    token = make_token(owner)
    client = visitor(make_member("admin"))
    assert "of owner" in client.get(PAGE).content.decode()
    client.post(END, {"token": token.token_key})
    assert not ApiToken.objects.exists()
    assert AccessEvent.objects.get(kind="token_end").detail["owner"] == "owner"


def test_an_auditor_sees_the_tokens_of_others_and_an_operator_does_not():
    make_token(make_user("owner"))
    assert "of owner" in visitor(make_member("auditor")).get(PAGE).content.decode()
    assert "of owner" not in visitor(make_member("operator")).get(PAGE).content.decode()


@pytest.mark.parametrize("values", [{}, {"token": ""}, {"token": "sb_none"}, {"token": "\0"}])
def test_what_is_no_token_cannot_be_ended(values):
    assert visitor(make_member("operator")).post(END, values).status_code == 404


def test_a_token_ends_by_a_post_alone():
    assert visitor(make_member("operator")).get(END).status_code == 405


def test_a_token_that_does_not_count_says_why():
    user = make_member("operator")
    expired = make_token(user)
    ApiToken.objects.filter(pk=expired.pk).update(expiry=timezone.now())
    make_token(user, role="auditor")
    gone = make_user("gone", is_active=False)
    make_token(gone)
    page = visitor(user).get(PAGE).content.decode()
    assert "Expired" in page
    assert "Owner lacks the role" in page
    assert "Owner may not sign in" in visitor(make_member("admin")).get(PAGE).content.decode()


def test_many_tokens_take_as_many_queries_as_one(django_assert_num_queries):
    client = visitor(make_member("admin"))
    for number in range(10):
        make_token(make_user(f"owner-{number}"))
        make_token(make_member("admin"))
    client.get(PAGE)
    # The session, its user, what they may (two), the roles of the form (twice), and of one's own
    # tokens and of the others' each the tokens and their owners' roles.
    with django_assert_num_queries(11):
        client.get(PAGE)
