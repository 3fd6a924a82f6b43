"""Saved filters."""

import pytest
from django.urls import reverse

from broadcasts.models import SavedFilter
from tests.builders import make_member, make_user

pytestmark = pytest.mark.django_db

SAVE = reverse("web:save_filter")
QUERY = "status=failed&status=timed_out&winner=ivr&columns=id&columns=caller"


@pytest.fixture
def operator(client):
    client.force_login(make_member("operator"))
    return client


def saved(owner="operator", name="Trouble", **columns):
    asked = {"query": {"status": ["failed"]}, "columns": ["id"]}
    return SavedFilter.objects.create(owner=make_member(owner), name=name, **{**asked, **columns})


def address(name, one):
    return reverse(f"web:{name}", args=[one.pk])


def test_what_the_page_shows_is_saved_and_opened_again(operator):
    response = operator.post(SAVE, {"name": "Trouble", "query": QUERY}, follow=True)
    one = SavedFilter.objects.get()
    assert (one.owner.username, one.page, one.shared) == ("operator", "history", False)
    assert one.query == {"status": ["failed", "timed_out"], "winner": ["ivr"]}
    assert one.columns == ["id", "caller"]
    assert "Saved the filter “Trouble”." in response.content.decode()
    opened = operator.get(address("saved_filter", one), follow=True)
    assert opened.context["opened"] == one
    assert opened.context["asked"].filters == one.query
    assert [column.key for column in opened.context["asked"].columns] == ["id", "caller"]


def test_others_see_what_is_shared_alone(client):
    shared, kept = saved(shared=True), saved(name="Mine")
    client.force_login(make_member("auditor"))
    page = client.get(reverse("web:history")).content.decode()
    assert "Trouble" in page
    assert "Mine" not in page
    assert client.get(address("saved_filter", shared)).status_code == 302
    assert client.get(address("saved_filter", kept)).status_code == 404


def test_its_owner_changes_and_deletes_it(operator):
    one = saved()
    operator.post(
        address("change_filter", one), {"name": "Better", "shared": "on", "query": "winner=a"}
    )
    one.refresh_from_db()
    assert (one.name, one.shared, one.query, one.columns) == ("Better", True, {"winner": ["a"]}, [])
    response = operator.post(address("delete_filter", one), follow=True)
    assert "Deleted the saved filter “Better”." in response.content.decode()
    assert not SavedFilter.objects.exists()


@pytest.mark.parametrize("name", ["change_filter", "delete_filter"])
@pytest.mark.parametrize(("shared", "answer"), [(True, 403), (False, 404)])
def test_nobody_else_does(client, name, shared, answer):
    one = saved(shared=shared)
    client.force_login(make_member("admin"))
    response = client.post(address(name, one), {"name": "Taken", "query": ""})
    assert response.status_code == answer
    assert SavedFilter.objects.get().name == "Trouble"


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"name": "", "query": QUERY}, "Give the filter a name."),
        ({"name": "x" * 81, "query": QUERY}, "at most 80 characters"),
        ({"name": "Trouble", "query": QUERY}, "You have a saved filter of this name already."),
        ({"name": "New", "query": "nonsense=1"}, "The history cannot be asked for “nonsense”."),
        ({"name": "New", "query": "q=%2B15551234567", "shared": "on"}, "is not shared"),
        ({"name": "New", "query": "caller=%2B15551234567", "shared": "on"}, "is not shared"),
    ],
)
def test_what_cannot_be_saved_is_said_and_changes_nothing(operator, form, told):
    saved()
    response = operator.post(SAVE, form, follow=True)
    assert told in response.content.decode()
    assert [one.name for one in SavedFilter.objects.all()] == ["Trouble"]


def test_a_search_for_a_number_is_saved_for_oneself(operator):
    operator.post(SAVE, {"name": "One caller", "query": "caller=%2B15551234567"})
    assert SavedFilter.objects.get().query == {"caller": ["+15551234567"]}


def test_filters_of_other_pages_are_not_opened_here(operator):
    one = saved(page=SavedFilter.Page.REPORTS)
    assert operator.get(address("saved_filter", one)).status_code == 404


def test_who_may_not_see_the_record_saves_nothing(client):
    client.force_login(make_user("outsider"))
    assert client.post(SAVE, {"name": "New", "query": ""}).status_code == 403
    assert not SavedFilter.objects.exists()
