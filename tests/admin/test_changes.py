"""The history of changes: who, when, from what to what, and why."""

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from broadcasts.history.changes import KEPT, Difference, newest
from broadcasts.models import Defaults, Preset, Rule
from tests.admin.cast import configured, person, visitor
from tests.builders import make_server

pytestmark = pytest.mark.django_db

PAGE = reverse("admin:changes")


def test_a_change_names_who_what_and_why():
    preset = Preset.objects.create(name="sales")
    values = {"name": "sales", "rounds-app_filter": "^gold-", "rounds-timeout_ms": "500"}
    address = reverse("admin:broadcasts_preset_change", args=[preset.pk])
    visitor("admin").post(address, {**values, "change_reason": "gold first"})
    change = newest([Preset], 0, 1)[0]
    assert (change.kind, change.name, change.record.changed_by) == ("changed", "sales", "a-admin")
    assert change.record.history_change_reason == "gold first"
    assert change.differences == [Difference("Rounds", "everyone", "^gold- for 500 ms")]
    page = visitor("auditor").get(PAGE).content.decode()
    for words in ("a-admin", "gold first", "^gold- for 500 ms", "sales"):
        assert words in page


def test_what_is_referred_to_is_named_even_when_it_is_gone():
    server, preset = make_server("pbx-east"), Preset.objects.create(name="sales")
    rule = Rule.objects.create(name="all", preset=preset)
    rule.server = server
    rule.save()
    assert newest([Rule], 0, 1)[0].differences == [Difference("Server", "", "pbx-east")]
    key = server.pk
    Rule.objects.filter(pk=rule.pk).update(server=None)
    server.delete()
    assert newest([Rule], 0, 1)[0].differences == [Difference("Server", "", f"#{key}")]


def test_memberships_are_told():
    user = User.objects.create(username="olga")
    user.groups.add(Group.objects.get(name="operator"))
    assert newest([User], 0, 1)[0].differences == [Difference("Groups", "", "operator")]


def test_defaults_are_named_by_whose_they_are():
    Defaults.of_installation()
    Defaults.objects.create(server=make_server("pbx-east"), timeout_ms=700)
    assert [change.name for change in newest([Defaults], 0, 2)] == [
        "pbx-east",
        "Whole installation",
    ]


def test_what_was_deleted_is_still_told():
    preset = Preset.objects.create(name="sales")
    key = preset.pk
    preset.delete()
    address = reverse("admin:broadcasts_preset_history", args=[key])
    page = visitor("auditor").get(address).content.decode()
    assert "deleted" in page
    assert "sales" in page


def test_the_reason_is_asked_of_whoever_may_change_something():
    things = configured()
    for name in ("preset", "rule", "defaults", "asteriskserver", "ariuser", "user", "group"):
        app = "auth" if name in ("user", "group") else "broadcasts"
        address = reverse(f"admin:{app}_{name}_change", args=[getattr(things, name).pk])
        assert "change_reason" in visitor("admin").get(address).content.decode()
        assert "change_reason" not in visitor("auditor").get(address).content.decode()


def test_pages_follow_each_other():
    preset = Preset.objects.create(name="sales")
    for number in range(60):
        preset.description = f"number {number}."
        preset.save()
    first = visitor("auditor").get(PAGE, {"of": "preset"}).content.decode()
    second = visitor("auditor").get(PAGE, {"of": "preset", "page": "2"}).content.decode()
    assert "number 59." in first
    assert "number 5." not in first
    assert "?of=preset&amp;page=2" in first
    assert "number 5." in second


def test_a_page_asks_as_often_however_much_was_changed():
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            newest(KEPT, 0, 51)
        return len(captured)

    configured()
    few = queries()
    for number in range(30):
        Preset.objects.create(name=f"preset-{number}")
        User.objects.create(username=f"user-{number}")
    assert queries() <= few


def test_nobody_below_a_superuser_can_make_one_or_touch_one():
    above, someone = person("superuser"), person("outsider")
    page = reverse("admin:auth_user_change", args=[someone.pk])
    values = {"username": "a-outsider", "is_active": "on", "is_superuser": "on"}
    assert visitor("admin").post(page, values).status_code == 302
    someone.refresh_from_db()
    assert not someone.is_superuser
    for name in ("change", "delete"):
        address = reverse(f"admin:auth_user_{name}", args=[above.pk])
        assert visitor("admin").post(address, {"post": "yes"}).status_code == 403
    address = reverse("admin:auth_user_password_change", args=[above.pk])
    assert visitor("admin").get(address).status_code == 403


def test_a_deletion_has_its_reason():
    preset = Preset.objects.create(name="sales")
    address = reverse("admin:broadcasts_preset_delete", args=[preset.pk])
    assert 'name="change_reason"' in visitor("admin").get(address).content.decode()
    visitor("admin").post(address, {"post": "yes", "change_reason": "sales were closed"})
    change = newest([Preset], 0, 1)[0]
    assert (change.kind, change.name, change.record.changed_by) == ("deleted", "sales", "a-admin")
    assert change.record.history_change_reason == "sales were closed"


def test_what_is_deleted_from_a_list_has_the_reason_of_all():
    keys = [Preset.objects.create(name=name).pk for name in ("sales", "support")]
    chosen = {"action": "delete_selected", "_selected_action": keys}
    address = reverse("admin:broadcasts_preset_changelist")
    assert 'name="change_reason"' in visitor("admin").post(address, chosen).content.decode()
    visitor("admin").post(address, {**chosen, "post": "yes", "change_reason": "tidied up"})
    assert not Preset.objects.exists()
    changes = newest([Preset], 0, 2)
    assert [(one.kind, one.record.history_change_reason) for one in changes] == [
        ("deleted", "tidied up")
    ] * 2


def test_what_a_deletion_takes_along_has_its_reason_too():
    server = make_server()
    Rule.objects.create(name="here", server=server, preset=Preset.objects.create(name="sales"))
    address = reverse("admin:broadcasts_asteriskserver_delete", args=[server.pk])
    visitor("admin").post(address, {"post": "yes", "change_reason": "moved to the cloud"})
    assert newest([Rule], 0, 1)[0].record.history_change_reason == "moved to the cloud"


def test_the_reason_of_one_change_is_not_that_of_the_next():
    preset = Preset.objects.create(name="sales")
    address = reverse("admin:broadcasts_preset_delete", args=[preset.pk])
    visitor("admin").post(address, {"post": "yes", "change_reason": "sales were closed"})
    Preset.objects.create(name="sales").delete()
    assert newest([Preset], 0, 1)[0].record.history_change_reason is None
