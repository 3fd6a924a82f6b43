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
    "Tools": [
        Entry("Rule tester", "rule", "admin:rule_tester", "broadcasts.change_rule"),
        Entry("Replay of a draft", "replay", "admin:replay", "broadcasts.change_preset"),
        Entry("Import and export", "swap_vert", "admin:exchange", "preset"),
    ],
    "People": [
        Entry("Users", "person", "admin:auth_user_changelist", "auth.view_user"),
        Entry("Groups", "badge", "admin:auth_group_changelist", "auth.view_group"),
    ],
}
CHANGES = Entry("History of changes", "history", "admin:changes", "")
PROOF = [
    Entry("Accesses", "login", "admin:broadcasts_accessevent_changelist", "accessevent"),
    Entry(
        "Notes of retention",
        "auto_delete",
        "admin:broadcasts_retentionnote_changelist",
        "retentionnote",
    ),
]


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return unfold's navigation for whoever asks; groups without a link are left out."""
    # Its address begins every other one, so unfold would take it for the page that is open.
    board = Entry("Live board", "monitoring", "web:live_board", "")
    groups: list[dict[str, Any]] = [{"title": "Live", "items": [{**link(board), "active": False}]}]
    for title, entries in GROUPS.items():
        if items := list(links(request, entries)):
            groups.append({"title": title, "separator": True, "items": items})
    changes = [link(CHANGES)] if may_see_changes(request) else []
    if items := [*changes, *links(request, PROOF)]:
        groups.append({"title": "History", "separator": True, "items": items})
    return groups


def links(request: HttpRequest, entries: list[Entry]) -> Iterator[dict[str, Any]]:
    """Yield those of the entries that the visitor may follow."""
    for entry in entries:
        permission = entry.permission
        if "." not in permission:
            permission = f"broadcasts.view_{permission}"
        if request.user.has_perm(permission):
            yield link(entry)


def link(entry: Entry) -> dict[str, Any]:
    """Return a link as unfold takes it."""
    return {"title": entry.title, "icon": entry.icon, "link": reverse(entry.address)}
