"""Users and groups: the history of their changes, and the roles that come with the service."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import simple_history
from django.apps import apps as installed
from django.apps.registry import Apps
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Model, Q

from .history import ChangeHistory

# The hash of a password is a secret; `last_login` changes without anybody changing anything.
simple_history.register(
    User,
    app="broadcasts",
    records_class=ChangeHistory,
    excluded_fields=["password", "last_login"],
    m2m_fields=[User.groups.field, User.user_permissions.field],
)
simple_history.register(
    Group,
    app="broadcasts",
    records_class=ChangeHistory,
    m2m_fields=[Group.permissions.field],
)

RECORD = ("broadcast", "candidate", "claimattempt", "connection")
RUNNING = ("process", "linklease", "presence")
CONFIGURATION = ("preset", "rule", "defaults", "asteriskserver", "ariuser")
PEOPLE = ("user", "group")

# What each role may do: models by action. The record itself is nobody's to change.
ROLES: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "operator": {"view": RECORD + RUNNING},
        "admin": {
            "view": RECORD + RUNNING + CONFIGURATION + PEOPLE,
            "add": CONFIGURATION + PEOPLE,
            "change": CONFIGURATION + PEOPLE,
            "delete": CONFIGURATION + PEOPLE,
        },
        "auditor": {"view": RECORD + RUNNING + CONFIGURATION + PEOPLE},
    }
)
SEES_CHANGES = ("admin", "auditor")


def create_roles(apps: Apps = installed, **_: object) -> None:
    """Create the groups and give each what its role needs; what was given besides is kept.

    Called after every migration, as permissions exist only then. `apps` are those of the state
    that was migrated to.
    """
    if "historicalgroup" not in apps.all_models["broadcasts"]:
        return  # An older state: changes of groups cannot be recorded there.
    for role in ROLES:
        group, _created = Group.objects.get_or_create(name=role)
        wanted = Q(pk__in=[])
        for action, model in granted(role):
            label, name = model._meta.app_label, model._meta.model_name
            wanted |= Q(content_type__app_label=label, codename=f"{action}_{name}")
        missing = Permission.objects.filter(wanted).exclude(group=group)
        if missing:
            group.permissions.add(*missing)


def granted(role: str) -> Iterator[tuple[str, type[Model]]]:
    """Yield what a role may do: an action, and the model that it may be done to."""
    for action, names in ROLES[role].items():
        for name in names:
            yield action, installed.get_model("auth" if name in PEOPLE else "broadcasts", name)
    if role in SEES_CHANGES:
        for name in CONFIGURATION + PEOPLE:
            yield "view", installed.get_model("broadcasts", f"historical{name}")
