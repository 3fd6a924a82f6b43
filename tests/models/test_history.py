"""Who changed what, when, from what to what, and why; and never a secret."""

import json

import pytest
from django.contrib.auth.models import Group
from django.core import serializers
from django.db import connection
from simple_history.models import HistoricalRecords

from broadcasts.models import AriUser, AsteriskServer, Defaults, Preset, Rule
from tests.builders import make_preset, make_rule, make_server, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def by_alice(rf):
    """Make every change a change of alice's, as the middleware does for a request of hers."""
    request = rf.get("/")
    request.user = make_user("alice")
    HistoricalRecords.context.request = request
    yield request.user
    del HistoricalRecords.context.request


def test_a_change_tells_who_when_and_why(by_alice):
    preset = make_preset()
    preset.args, preset._change_reason = "sales", "sales have moved"
    preset.save()
    change = preset.history.first()
    assert (change.history_user, change.changed_by) == (by_alice, "alice")
    assert (change.args, change.prev_record.args) == ("sales", "")
    assert change.history_change_reason == "sales have moved"


def test_who_did_it_is_known_when_the_account_is_gone(by_alice):
    preset = make_preset()
    by_alice.delete()
    connection.check_constraints()
    change = preset.history.get()
    assert (change.history_user, change.changed_by) == (None, "alice")


def test_people_may_remove_their_own_account(by_alice):
    history = type(by_alice).history
    by_alice.delete()
    removed = history.first()
    assert (removed.history_type, removed.changed_by, removed.history_user) == ("-", "alice", None)


@pytest.mark.parametrize("make", [make_preset, make_rule, make_server, Defaults.of_installation])
def test_what_is_removed_stays_in_the_history(make):
    row = make()
    history = type(row).history
    row.delete()
    assert history.first().history_type == "-"


def test_of_a_servers_password_only_that_it_changed_is_kept():
    server = make_server(password="first-secret")
    before = server.password_changed_at
    server.username = "other"
    server.save()
    assert server.password_changed_at == before
    server.password = "second-secret"
    server.save()
    assert server.password_changed_at > before
    kept = serializers.serialize("json", AsteriskServer.history.all())
    assert "secret" not in kept
    assert "password" not in json.loads(kept)[0]["fields"]


def test_of_an_ari_users_password_only_that_it_changed_is_kept():
    user = AriUser(name="ivr")
    user.set_password("secret")
    user.save()
    change = user.history.get()
    assert change.password_changed_at == user.password_changed_at
    assert not hasattr(change, "password_hash")


def test_the_use_of_credentials_is_no_change():
    user = AriUser.objects.create(name="ivr")
    user.save(update_fields=["last_used_at"])
    assert user.history.count() == 1


def test_of_a_persons_password_only_that_it_is_new_is_kept():
    user = make_user("bob")
    user.set_password("another secret")
    user.save()
    change = user.history.first()
    assert change.history_change_reason == "new password"
    assert not hasattr(change, "password")


def test_signing_in_is_no_change(client):
    user = make_user("bob")
    client.force_login(user)
    user.refresh_from_db()
    assert user.last_login is not None
    assert user.history.count() == 1


def test_groups_given_and_taken_are_kept():
    user, group = make_user("bob"), Group.objects.get(name="operator")
    user.groups.add(group)
    user.groups.clear()
    given = [[one.group.name for one in change.groups.all()] for change in user.history.all()]
    assert given == [[], ["operator"], []]


def test_a_request_makes_its_changes_its_users(client, admin_user):
    """The middleware is in place: a view's change is the signed-in user's."""
    client.force_login(admin_user)
    client.post("/admin/password_change/", {
        "old_password": "password",
        "new_password1": "Xk2-long-and-unheard-of",
        "new_password2": "Xk2-long-and-unheard-of",
    })  # fmt: skip
    assert admin_user.history.first().history_user == admin_user


@pytest.mark.parametrize("model", [Preset, Rule, Defaults, AsteriskServer, AriUser])
def test_the_histories_of_configuration_name_who(model):
    assert {"changed_by", "history_user", "history_change_reason"} <= {
        field.name for field in model.history.model._meta.get_fields()
    }
