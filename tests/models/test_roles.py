"""Operators look, admins configure as well, auditors see everything and edit nothing."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from tests.builders import make_user

pytestmark = pytest.mark.django_db


def member(role: str):
    user = make_user(role)
    user.groups.add(Group.objects.get(name=role))
    return user


def may(role: str) -> set[str]:
    """Return what a member of a group may do, such as `view_preset`."""
    return {name.partition(".")[2] for name in member(role).get_all_permissions()}


def looking(allowed: set[str]) -> set[str]:
    return {name for name in allowed if name.startswith("view_")}


def test_operators_see_the_record_and_what_runs():
    assert may("operator") == {
        f"view_{name}"
        for name in (
            "broadcast", "candidate", "claimattempt", "connection",
            "process", "linklease", "presence",
        )
    }  # fmt: skip


def test_admins_edit_configuration_users_and_groups_and_nothing_else():
    allowed = may("admin")
    assert allowed - looking(allowed) == {
        f"{action}_{name}"
        for action in ("add", "change", "delete")
        for name in ("preset", "rule", "defaults", "asteriskserver", "ariuser", "user", "group")
    } | {"unmask_numbers"}
    assert looking(allowed) > may("operator")


def test_auditors_see_what_admins_see_and_take_it_out_and_edit_nothing():
    allowed = may("auditor")
    assert looking(allowed) == looking(may("admin"))
    assert allowed - looking(allowed) == {"export_record", "unmask_numbers"}


def test_auditors_see_the_history_of_every_change():
    assert {"view_historicalpreset", "view_historicaluser"} <= may("auditor")


def test_nobody_can_be_allowed_to_change_the_record():
    record = Permission.objects.filter(
        content_type__app_label="broadcasts",
        content_type__model__in=["broadcast", "candidate", "claimattempt", "connection"],
    )
    actions = {permission.codename.partition("_")[0] for permission in record}
    assert actions == {"view", "export", "unmask"}


def test_what_a_group_was_given_besides_stays():
    group = Group.objects.get(name="operator")
    extra = Permission.objects.get(codename="view_preset")
    group.permissions.add(extra)
    call_command("migrate", verbosity=0)
    assert extra in group.permissions.all()
