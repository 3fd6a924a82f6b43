"""Who has looked and what has gone, as the admin shows it to those who may know."""

import pytest
from django.contrib import admin
from django.test import RequestFactory
from django.urls import reverse

from broadcasts.models import AccessEvent, RetentionNote
from tests.admin.cast import make_retention_note, person, visitor

pytestmark = pytest.mark.django_db

ACCESSES = reverse("admin:broadcasts_accessevent_changelist")
NOTES = reverse("admin:broadcasts_retentionnote_changelist")


def page(address: str, visiting: str = "auditor", **query: str) -> str:
    answer = visitor(visiting).get(address, query)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("model", [AccessEvent, RetentionNote])
def test_nobody_may_add_change_or_delete_any_of_it(model):
    request = RequestFactory().get("/")
    request.user = person("superuser")
    shown = admin.site.get_model_admin(model)
    assert shown.has_view_permission(request)
    assert not shown.has_add_permission(request)
    assert not shown.has_change_permission(request)
    assert not shown.has_delete_permission(request)


def test_an_access_is_shown_with_who_what_and_why():
    AccessEvent.note(AccessEvent.Kind.UNMASK, "alex", "10.0.0.7", reason="complaint 7", minutes=15)
    shown = page(ACCESSES)
    for text in ("alex", "unmasked numbers", "10.0.0.7", "reason: complaint 7, minutes: 15"):
        assert text in shown


def test_accesses_are_narrowed_down_by_kind_name_and_time():
    AccessEvent.note(AccessEvent.Kind.UNMASK, "alex", reason="the one looked for")
    AccessEvent.note(AccessEvent.Kind.EXPORT, "kim", rows="another one")
    one_day = "2100-01-01"
    for query in (
        {"kind__exact": "unmask"},
        {"who": "alex"},
        {"kind__exact": "unmask", "at_to_0": one_day, "at_to_1": "00:00:00"},
    ):
        shown = page(ACCESSES, **query)
        assert "the one looked for" in shown
        assert "another one" not in shown
    late = {"at_from_0": one_day, "at_from_1": "00:00:00"}
    assert "the one looked for" not in page(ACCESSES, **late)


def test_a_note_of_retention_is_shown_and_its_signature_checked():
    note = make_retention_note(chain=bytes(range(32)))
    shown = page(NOTES)
    assert "1 to 1,234" in shown
    assert "1,200 broadcasts" in shown
    assert "genuine" in shown
    one = page(reverse("admin:broadcasts_retentionnote_change", args=[note.pk]))
    assert bytes(range(32)).hex() in one.replace("<wbr>", "")
    RetentionNote.objects.update(through=9999)
    assert "forged or changed" in page(NOTES)


@pytest.mark.parametrize(("who", "is_told"), [("operator", False), ("auditor", True)])
def test_the_sidebar_leads_there_whom_it_concerns(who, is_told):
    shown = page(reverse("admin:index"), who)
    assert (ACCESSES in shown) is is_told
    assert (NOTES in shown) is is_told
