"""Passwords and secrets: what goes in never comes out, and what is made is shown once."""

import re

import pytest
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import User
from django.urls import reverse

from broadcasts.models import AriUser, AsteriskServer
from tests.admin.cast import CANDIDATE_PASSWORD, SERVER_PASSWORD, configured, visitor
from tests.admin.test_pages import NAMES, QUERIES

pytestmark = pytest.mark.django_db

SERVER = {
    "kind": "dial_in",
    "name": "pbx",
    "url": "http://127.0.0.1:8088",
    "username": "broadcast",
    "application": "broadcast",
    "enabled": "on",
    "defaults-TOTAL_FORMS": "0",
    "defaults-INITIAL_FORMS": "0",
}


def change(server, **values):
    address = reverse("admin:broadcasts_asteriskserver_change", args=[server.pk])
    return visitor("admin").post(address, {**SERVER, **values})


def test_no_page_shows_a_secret():
    things, client = configured(), visitor("superuser")
    account = User.objects.create_user("with-a-password", password="only-its-owner-knows")
    server, user = things.asteriskserver, things.ariuser
    server.url = "http://127.0.0.1:9999"
    server.save()
    encrypted = AsteriskServer.objects.raw(
        "SELECT id, password AS stored FROM broadcasts_asteriskserver"
    )
    secrets = [SERVER_PASSWORD, CANDIDATE_PASSWORD, user.password_hash, account.password]
    secrets += [user.password_hash.split("$")[-1][:6], encrypted[0].stored]
    for name in NAMES:
        address = reverse(f"admin:{name}", args=things.arguments(name))
        page = client.get(address, QUERIES.get(name)).content.decode()
        shown = [secret for secret in secrets if secret in page]
        assert not shown, f"{name} shows a secret"


@pytest.mark.parametrize(
    ("model", "column"),
    [
        ("broadcasts_ariuser", "password_hash"),
        ("broadcasts_asteriskserver", "password"),
        ("auth_user", "password"),
        ("auth_group", "user__password"),
        ("broadcasts_rule", "server__password"),
    ],
)
@pytest.mark.parametrize("lookup", ["", "__startswith", "__regex", "__gt"])
def test_no_address_asks_how_a_secret_begins(model, column, lookup):
    configured()
    address = reverse(f"admin:{model}_changelist")
    assert visitor("auditor").get(address, {f"{column}{lookup}": "a"}).status_code == 400


def test_a_password_is_kept_when_none_is_typed():
    server = configured().asteriskserver
    assert change(server, application="elsewhere").status_code == 302
    server.refresh_from_db()
    assert (server.application, server.password) == ("elsewhere", SERVER_PASSWORD)


def test_a_new_password_replaces_the_old_one_and_shows_in_the_history_as_a_date():
    server = configured().asteriskserver
    change(server, new_password="another-one")
    server.refresh_from_db()
    assert server.password == "another-one"
    address = reverse("admin:broadcasts_asteriskserver_history", args=[server.pk])
    page = visitor("auditor").get(address).content.decode()
    assert "Password changed at" in page
    assert "another-one" not in page


def test_a_stored_password_goes_to_no_new_address():
    server = configured().asteriskserver
    page = change(server, url="http://elsewhere:8088").content.decode()
    assert "Type the password again" in page
    assert change(server, url="http://elsewhere:8088", new_password="x").status_code == 302


def test_a_server_needs_a_password():
    answer = visitor("admin").post(
        reverse("admin:broadcasts_asteriskserver_add"), {**SERVER, "name": "new"}
    )
    assert "A server needs a password" in answer.content.decode()


def secret_in(page: str) -> str:
    return re.search(r'id="secret">([^<]+)<', page)[1]


def test_a_secret_is_shown_once_and_opens_the_door():
    client = visitor("admin")
    answer = client.post(reverse("admin:broadcasts_ariuser_add"), {"name": "ivr", "enabled": "on"})
    secret, user = secret_in(answer.content.decode()), AriUser.objects.get(name="ivr")
    assert check_password(secret, user.password_hash)
    assert "no-store" in answer["Cache-Control"]
    for name in ("change", "history"):
        page = client.get(reverse(f"admin:broadcasts_ariuser_{name}", args=[user.pk]))
        assert secret not in page.content.decode()


def test_a_new_secret_replaces_the_old_one():
    user = configured().ariuser
    address = reverse("admin:broadcasts_ariuser_new_secret", args=[user.pk])
    visitor("admin").get(address)
    user.refresh_from_db()
    assert check_password(CANDIDATE_PASSWORD, user.password_hash)

    answer = visitor("admin").post(address, {"change_reason": "it leaked"})
    user.refresh_from_db()
    assert check_password(secret_in(answer.content.decode()), user.password_hash)
    assert user.history.latest().history_change_reason == "new secret: it leaked"
