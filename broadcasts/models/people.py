"""Users and groups: the history of their changes, and the roles that come with the service."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import simple_history
from django.apps import apps as installed
from django.apps.registry import Apps
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Q

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
PROOF = ("accessevent", "seal", "retentionnote")

# What each role may do: models by action. The record itself is nobody's to change.
ROLES: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "operator": {"view": RECORD + RUNNING},
        "admin": {
            "view": RECORD + RUNNING + CONFIGURATION + PEOPLE + PROOF,
            "add": CONFIGURATION + PEOPLE,
            "change": CONFIGURATION + PEOPLE,
            "delete": CONFIGURATION + PEOPLE,
        },
        "auditor": {"view": RECORD + RUNNING + CONFIGURATION + PEOPLE + PROOF},
    }
)
# What else may be done with the record.
WITH_RECORD: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"admin": ("unmask_numbers",), "auditor": ("unmask_numbers", "export_record")}
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
        for label, codename in granted(role):
            wanted |= Q(content_type__app_label=label, codename=codename)
        missing = Permission.objects.filter(wanted).exclude(group=group)
        if missing:
            group.permissions.add(*missing)


def granted(role: str) -> Iterator[tuple[str, str]]:
    """Yield the permissions of a role: the application's label and the codename of each."""
    for action, names in ROLES[role].items():
        for name in names:
            yield "auth" if name in PEOPLE else "broadcasts", f"{action}_{name}"
    if role in SEES_CHANGES:
        for name in CONFIGURATION + PEOPLE:
            yield "broadcasts", f"view_historical{name}"
    for codename in WITH_RECORD.get(role, ()):
        yield "broadcasts", codename
