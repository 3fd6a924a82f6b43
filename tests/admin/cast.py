"""Who visits the admin, and what there is to see in it."""

from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from broadcasts.archive.retention import signed
from broadcasts.archive.signing import sign
from broadcasts.domain.verdict import Verdict
from broadcasts.models import (
    ROLES,
    AccessEvent,
    AriUser,
    AsteriskServer,
    Broadcast,
    Candidate,
    ClaimAttempt,
    Defaults,
    Preset,
    RetentionNote,
    Rule,
)
from tests.builders import make_broadcast, make_server

SERVER_PASSWORD = "never-to-be-seen-again"
CANDIDATE_PASSWORD = "known-to-the-candidate-alone"


def visitor(who: str) -> Client:
    """Return a client signed in as one of a role; "outsider" has an account, but no way in."""
    client = Client()
    if who != "anonymous":
        client.force_login(person(who))
    return client


def person(who: str) -> User:
    """Make an account of a role, or return the one made before."""
    name = f"a-{who}"
    if found := User.objects.filter(username=name).first():
        return found
    user = User(username=name, is_staff=who != "outsider", is_superuser=who == "superuser")
    user.set_unusable_password()
    user.save()
    if who in ROLES:
        user.groups.add(Group.objects.get(name=who))
    return user


@dataclass
class Configured:
    """One of each kind of thing."""

    broadcast: Broadcast
    candidate: Candidate
    claimattempt: ClaimAttempt
    preset: Preset
    rule: Rule
    defaults: Defaults
    asteriskserver: AsteriskServer
    ariuser: AriUser
    user: User
    group: Group
    accessevent: AccessEvent
    retentionnote: RetentionNote

    def arguments(self, name: str) -> list[Any]:
        """Return what the address of this name needs."""
        if name == "app_list":
            return ["broadcasts"]
        if name == "view_on_site":
            return [1, 1]
        parts = name.split("_")
        if parts[0] not in ("broadcasts", "auth") or parts[-1] in ("changelist", "add", "test"):
            return []
        key = getattr(self, parts[1]).pk
        if name == "broadcasts_preset_version":
            return [key, self.preset.history.latest().history_id]
        return [key]

    def posted(self, name: str) -> dict[str, Any]:
        """Return what a form at this address sends; most are sent empty, and shown again."""
        needed = {
            "broadcasts_rule_move": {"before": self.rule.pk},
            "replay_slice": {"rounds-app_filter": "", "rounds-timeout_ms": "500"},
        }
        return needed.get(name, {})


def configured() -> Configured:
    """Make one of each kind, or return those made before."""
    server = make_server(password=SERVER_PASSWORD)
    broadcast = Broadcast.objects.first() or make_broadcast(server=server)
    preset = Preset.objects.get_or_create(name="sales")[0]
    attempt = {"channel_id": broadcast.channel_id, "application": "ivr-main", "user": "ivr"}
    told = {"at": timezone.now(), "answer": 204, "verdict": Verdict.WON}
    return Configured(
        broadcast=broadcast,
        candidate=broadcast.candidates.first(),
        claimattempt=broadcast.attempts.get_or_create(**attempt, defaults=told)[0],
        preset=preset,
        rule=Rule.objects.get_or_create(name="everything", preset=preset)[0],
        defaults=Defaults.of_installation(),
        asteriskserver=server,
        ariuser=AriUser.objects.first() or make_ari_user(),
        user=person("outsider"),
        group=Group.objects.get(name="operator"),
        accessevent=AccessEvent.objects.first()
        or AccessEvent.note(AccessEvent.Kind.UNMASK, "an-auditor", "10.0.0.7", reason="audit"),
        retentionnote=RetentionNote.objects.first() or make_retention_note(),
    )


def make_ari_user(name: str = "ivr", **columns: Any) -> AriUser:
    """Make the credentials of a candidate."""
    user = AriUser(name=name, **columns)
    user.set_password(CANDIDATE_PASSWORD)
    user.save()
    return user


def make_retention_note(**columns: Any) -> RetentionNote:
    """Make a genuine note of records that were removed."""
    now = timezone.now()
    defaults = {"at": now, "by": "the service", "older_than": now - timedelta(days=365)}
    defaults |= {"first": 1, "through": 1234, "chain": bytes(32)}
    note = RetentionNote(**{**defaults, "removed": {"broadcasts": 1200}, **columns})
    note.signature = sign(signed(note))
    note.save()
    return note


def readable_addresses(things: Configured) -> list[str]:
    """Return the addresses of the lists, forms and histories of everything."""
    pages = [reverse("admin:index"), reverse("admin:changes")]
    for model in fields(things):
        app = "auth" if model.name in ("user", "group") else "broadcasts"
        name = f"admin:{app}_{model.name}"
        key = getattr(things, model.name).pk
        pages += [reverse(f"{name}_changelist"), reverse(f"{name}_change", args=[key])]
    return pages
