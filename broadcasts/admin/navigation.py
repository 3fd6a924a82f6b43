"""The sidebar: groups of links, each for those who may follow it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import reverse

from .changes import may_see_changes


class Entry(NamedTuple):
    """A link to a model's list; `permission` is needed to view it."""

    title: str
    icon: str
    address: str
    permission: str


GROUPS = {
    "Calls": [
        Entry("Broadcasts", "campaign", "admin:broadcasts_broadcast_changelist", "broadcast"),
        Entry("Candidates", "groups", "admin:broadcasts_candidate_changelist", "candidate"),
        Entry(
            "Claim attempts", "gavel", "admin:broadcasts_claimattempt_changelist", "claimattempt"
        ),
    ],
    "Configuration": [
        Entry("Presets", "filter_alt", "admin:broadcasts_preset_changelist", "preset"),
        Entry("Rules", "alt_route", "admin:broadcasts_rule_changelist", "rule"),
        Entry("Defaults", "tune", "admin:broadcasts_defaults_changelist", "defaults"),
        Entry(
            "Asterisk servers",
            "dns",
            "admin:broadcasts_asteriskserver_changelist",
            "asteriskserver",
        ),
        Entry("ARI users", "key", "admin:broadcasts_ariuser_changelist", "ariuser"),
    ],
    "People": [
        Entry("Users", "person", "admin:auth_user_changelist", "auth.view_user"),
        Entry("Groups", "badge", "admin:auth_group_changelist", "auth.view_group"),
    ],
}


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return unfold's navigation for whoever asks; groups without a link are left out."""
    live_board = {"title": "Live board", "icon": "monitoring", "link": reverse("web:live_board")}
    groups = [{"items": [live_board]}]
    for title, entries in GROUPS.items():
        if items := list(links(request, entries)):
            groups.append({"title": title, "separator": True, "items": items})
    if may_see_changes(request):
        changes = {
            "title": "History of changes",
            "icon": "history",
            "link": reverse("admin:changes"),
        }
        groups.append({"separator": True, "items": [changes]})
    return groups


def links(request: HttpRequest, entries: list[Entry]) -> Iterator[dict[str, Any]]:
    """Yield those of the entries that the visitor may follow."""
    for entry in entries:
        permission = entry.permission
        if "." not in permission:
            permission = f"broadcasts.view_{permission}"
        if request.user.has_perm(permission):
            yield {"title": entry.title, "icon": entry.icon, "link": reverse(entry.address)}
