"""Who may see and do what in the admin: every role on every page and action.

The addresses are those that the admin site itself resolves, so a new one fails here until its
rights are said.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.contrib import admin
from django.urls import URLPattern, URLResolver, reverse

from broadcasts.models import Preset, Revision
from tests.admin.cast import configured, visitor

pytestmark = pytest.mark.django_db

VISITORS = ("anonymous", "outsider", "operator", "auditor", "admin", "superuser")
STAFF = {"operator", "auditor", "admin", "superuser"}
READERS = {"auditor", "admin", "superuser"}
EDITORS = {"admin", "superuser"}
NOBODY: set[str] = set()

RECORD = ("broadcast", "candidate", "claimattempt")
PROOF = ("accessevent", "retentionnote")
CONFIGURATION = ("preset", "rule", "defaults", "asteriskserver", "ariuser")
PEOPLE = ("user", "group")


class Right(NamedTuple):
    """Who may open an address, and who may post to it."""

    get: set[str]
    post: set[str]


RIGHTS: dict[str, Right] = {
    "index": Right(STAFF, STAFF),
    "search": Right(STAFF, STAFF),
    "changes": Right(READERS, READERS),
    "jsi18n": Right(STAFF, NOBODY),
    "autocomplete": Right(READERS, NOBODY),
    "password_change": Right(STAFF, STAFF),
    "password_change_done": Right(STAFF, NOBODY),
    "app_list": Right(STAFF, STAFF),
    "view_on_site": Right(NOBODY, NOBODY),
    "try_it": Right(NOBODY, EDITORS),
    "rule_tester": Right(EDITORS, EDITORS),
    "replay": Right(EDITORS, EDITORS),
    "replay_slice": Right(NOBODY, EDITORS),
    "exchange": Right(READERS, EDITORS),
    "export": Right(READERS, READERS),
    "broadcasts_preset_version": Right(READERS, EDITORS),
    "broadcasts_rule_move": Right(NOBODY, EDITORS),
    "broadcasts_asteriskserver_test": Right(NOBODY, EDITORS),
    "broadcasts_ariuser_new_secret": Right(EDITORS, EDITORS),
    "auth_user_password_change": Right(EDITORS, EDITORS),
}
for model in RECORD + PROOF:
    who = READERS if model in PROOF else STAFF
    RIGHTS[f"broadcasts_{model}_changelist"] = Right(who, who)
    RIGHTS[f"broadcasts_{model}_change"] = Right(who, NOBODY)
    RIGHTS[f"broadcasts_{model}_history"] = Right(who, who)
    for action in ("add", "delete"):
        RIGHTS[f"broadcasts_{model}_{action}"] = Right(NOBODY, NOBODY)
for model in CONFIGURATION + PEOPLE:
    name = f"{'auth' if model in PEOPLE else 'broadcasts'}_{model}"
    RIGHTS[f"{name}_changelist"] = Right(READERS, READERS)
    RIGHTS[f"{name}_change"] = Right(READERS, EDITORS)
    RIGHTS[f"{name}_history"] = Right(READERS, READERS)
    for action in ("add", "delete"):
        RIGHTS[f"{name}_{action}"] = Right(EDITORS, EDITORS)

# For who is not signed in: tests/web/test_sign_in.py.
ENTRANCE = {"login", "logout"}
# What is no page, or takes nothing else than a POST, says so; anything else is forbidden.
REFUSALS = {403, 404, 405}


def addresses(patterns: list[Any] | None = None) -> Iterator[URLPattern]:
    """Yield every address of the admin."""
    for pattern in admin.site.get_urls() if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns)
        else:
            yield pattern


QUERIES = {
    "autocomplete": {"app_label": "broadcasts", "model_name": "rule", "field_name": "preset"}
}
NAMES = sorted({pattern.name for pattern in addresses() if pattern.name} - ENTRANCE)


def test_every_address_of_the_admin_has_its_rights_said_here():
    assert set(NAMES) == RIGHTS.keys()


def refusal(answer: Any, who: str, allowed: set[str]) -> str:
    """Return what is wrong with an answer, or ""."""
    if who == "anonymous":
        chain = answer.redirect_chain
        return "" if chain and chain[-1][0].startswith("/sign-in/") else "is not sent to sign in"
    wanted = {200} if who in allowed else REFUSALS
    return "" if answer.status_code in wanted else f"is answered {answer.status_code}"


@pytest.mark.parametrize("who", VISITORS)
def test_pages_are_seen_by_whom_they_are_for(who):
    things, client = configured(), visitor(who)
    wrong = []
    for name in NAMES:
        address = reverse(f"admin:{name}", args=things.arguments(name))
        answer = client.get(address, QUERIES.get(name), follow=True)
        if fault := refusal(answer, who, RIGHTS[name].get):
            wrong.append(f"{name} {fault}")
    assert not wrong


@pytest.mark.parametrize(
    "name", ["index", "changes", "rule_tester", "broadcasts_preset_changelist"]
)
def test_a_page_says_of_which_product_it_is(name):
    page = visitor("admin").get(reverse(f"admin:{name}")).content.decode()
    assert "Stasis Broadcast" in page.partition("<body")[2]


@pytest.mark.parametrize("who", VISITORS)
def test_pages_are_used_by_whom_they_are_for(who):
    things, client = configured(), visitor(who)
    wrong = []
    for name in NAMES:
        address, before = reverse(f"admin:{name}", args=things.arguments(name)), Revision.current()
        answer = client.post(address, things.posted(name), follow=True)
        if fault := refusal(answer, who, RIGHTS[name].post):
            wrong.append(f"{name} {fault}")
        if who not in RIGHTS[name].post and Revision.current() != before:
            wrong.append(f"{name} changes something")
    assert not wrong


# In an order in which none is in use any more; a server keeps its record.
DELETABLE = ("rule", "defaults", "preset", "ariuser", "user", "group")


@pytest.mark.parametrize("who", VISITORS)
def test_what_is_chosen_in_a_list_is_deleted_by_editors_alone(who):
    things, client = configured(), visitor(who)
    wrong = []
    for model in (*DELETABLE, "asteriskserver", *RECORD, *PROOF):
        thing = getattr(things, model)
        name = f"admin:{thing._meta.label_lower.replace('.', '_')}_changelist"
        chosen = {"action": "delete_selected", "_selected_action": [thing.pk], "post": "yes"}
        client.post(reverse(name), chosen)
        is_left = type(thing).objects.filter(pk=thing.pk).exists()
        if is_left == (who in EDITORS and model in DELETABLE):
            wrong.append(model)
    assert not wrong


@pytest.mark.parametrize("file_format", ["yaml", "json"])
@pytest.mark.parametrize("who", VISITORS)
def test_what_is_configured_is_exported_for_readers_alone(who, file_format):
    configured()
    answer = visitor(who).get(reverse("admin:export"), {"format": file_format})
    assert (b"sales" in answer.content) == (who in READERS)


@pytest.mark.parametrize("who", VISITORS)
def test_a_document_is_imported_by_editors_alone(who):
    configured()
    document = {"document": "presets: [{name: sales}, {name: fresh}]"}
    applied = {**document, "apply": "1", "revision": Revision.current()}
    visitor(who).post(reverse("admin:exchange"), applied)
    assert Preset.objects.filter(name="fresh").exists() == (who in EDITORS)
