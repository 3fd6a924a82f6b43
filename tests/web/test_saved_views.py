"""Saved filters of the history and of the reports."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse

from broadcasts.models import SavedFilter
from tests.builders import make_member, make_server, make_user

pytestmark = pytest.mark.django_db

HISTORY, REPORTS = SavedFilter.Page.HISTORY, SavedFilter.Page.REPORTS
# What a page may show: its address, and what of it is kept.
SHOWN = {
    HISTORY: (
        "status=failed&status=timed_out&winner=ivr&columns=id&columns=caller&cursor=x",
        {"status": ["failed", "timed_out"], "winner": ["ivr"]},
        ["id", "caller"],
    ),
    REPORTS: (
        "period=30d&server=pbx&sort=-won&first=&last=&page=2",
        {"period": ["30d"], "server": ["pbx"], "sort": ["-won"]},
        [],
    ),
}
# Every address of a saved filter, and whether it takes a post.
ADDRESSES = {"save": True, "open": False, "change": True, "delete": True}
NAMES = {
    "save": "save_filter",
    "open": "saved_filter",
    "change": "change_filter",
    "delete": "delete_filter",
}

every_page = pytest.mark.parametrize("page", [HISTORY, REPORTS])


@pytest.fixture(autouse=True)
def server():
    make_server("pbx")


@pytest.fixture
def operator(client):
    client.force_login(make_member("operator"))
    return client


def saved(page=HISTORY, owner="operator", name="Trouble", **columns):
    _, query, chosen = SHOWN[page]
    asked = {"query": query, "columns": chosen, **columns}
    return SavedFilter.objects.create(owner=make_member(owner), page=page, name=name, **asked)


def address(does, one, page=""):
    """Return where something is done with a saved filter: on its page, unless told."""
    keys = [] if does == "save" else [one.pk]
    return reverse(f"web:{NAMES[does]}", args=[page or one.page, *keys])


def save(client, page, **form):
    """Save what a page shows, and return the page that one is led to."""
    form = {"name": "New", "query": SHOWN[page][0], **form}
    return client.post(reverse("web:save_filter", args=[page]), form, follow=True)


def text_of(client, page):
    return client.get(reverse(f"web:{page}")).content.decode()


@every_page
def test_what_the_page_shows_is_saved_and_opened_again(operator, page):
    response = save(operator, page, name="Trouble")
    one = SavedFilter.objects.get()
    assert (one.owner.username, one.page, one.shared) == ("operator", page, False)
    assert (one.query, one.columns) == SHOWN[page][1:]
    assert "Saved the filter “Trouble”." in response.content.decode()
    opened = operator.get(address("open", one))
    assert urlsplit(opened["Location"]).path == reverse(f"web:{page}")
    asked = parse_qs(urlsplit(opened["Location"]).query)
    columns = {"columns": one.columns} if one.columns else {}
    assert asked == {**one.query, **columns, "saved": [str(one.pk)]}
    response = operator.get(opened["Location"])
    assert response.status_code == 200
    assert response.context["opened"] == one
    assert "<title>Trouble · " in response.content.decode()


def test_days_of_a_report_are_saved_without_the_period_that_they_replace(operator):
    save(operator, REPORTS, query="period=30d&first=2025-03-01&last=2025-03-09")
    assert SavedFilter.objects.get().query == {"first": ["2025-03-01"], "last": ["2025-03-09"]}


def test_what_is_opened_stays_so_whatever_else_the_reports_are_asked_for(operator):
    one = saved(REPORTS)
    response = operator.get(address("open", one), follow=True)
    assert all(
        parse_qs(urlsplit(period["address"]).query)["saved"] == [str(one.pk)]
        for period in response.context["periods"]
    )
    page = response.content.decode()
    assert f'<input type="hidden" name="saved" value="{one.pk}">' in page
    assert '<input type="hidden" name="sort" value="-won">' in page


@every_page
def test_others_see_what_is_shared_alone(client, page):
    shared, kept = saved(page, shared=True), saved(page, name="Mine")
    client.force_login(make_member("auditor"))
    listed = text_of(client, page)
    assert "Trouble" in listed
    assert "shared by operator" in listed
    assert "Mine" not in listed
    assert client.get(address("open", shared)).status_code == 302
    assert client.get(address("open", kept)).status_code == 404


@every_page
def test_its_owner_changes_and_deletes_it(operator, page):
    one = saved(page)
    form = {"name": "Better", "shared": "on", "query": "period=7d"}
    operator.post(address("change", one), form)
    one.refresh_from_db()
    assert (one.name, one.shared, one.page) == ("Better", True, page)
    assert (one.query, one.columns) == ({"period": ["7d"]}, [])
    response = operator.post(address("delete", one), follow=True)
    assert "Deleted the saved filter “Better”." in response.content.decode()
    assert response.request["PATH_INFO"] == reverse(f"web:{page}")
    assert not SavedFilter.objects.exists()


@every_page
@pytest.mark.parametrize("does", ["change", "delete"])
@pytest.mark.parametrize(("shared", "answer"), [(True, 403), (False, 404)])
def test_nobody_else_does(client, page, does, shared, answer):
    one = saved(page, shared=shared)
    client.force_login(make_member("admin"))
    response = client.post(address(does, one), {"name": "Taken", "query": ""})
    assert response.status_code == answer
    assert SavedFilter.objects.get().name == "Trouble"


@pytest.mark.parametrize(
    ("page", "form", "told"),
    [
        (HISTORY, {"name": ""}, "Give the filter a name."),
        (HISTORY, {"name": "x" * 81}, "at most 80 characters"),
        (HISTORY, {"name": "Trouble"}, "You have a saved filter of this name already."),
        (HISTORY, {"query": "nonsense=1"}, "The history cannot be asked for “nonsense”."),
        (HISTORY, {"query": "q=%2B15551234567", "shared": "on"}, "is not shared"),
        (HISTORY, {"query": "caller=%2B15551234567", "shared": "on"}, "is not shared"),
        (REPORTS, {"name": ""}, "Give the filter a name."),
        (REPORTS, {"name": "Trouble"}, "You have a saved filter of this name already."),
        (REPORTS, {"query": "nonsense=1"}, "The reports cannot be asked for “nonsense”."),
        (REPORTS, {"query": "status=failed"}, "The reports cannot be asked for “status”."),
        (REPORTS, {"query": "period=ever"}, "Period: Select a valid choice."),
        (REPORTS, {"query": "server=nowhere"}, "Server: Select a valid choice."),
        (REPORTS, {"query": "first=2025-02-30"}, "From: Enter a valid date."),
        (REPORTS, {"query": "sort=password"}, "Order: Select a valid choice."),
    ],
)
def test_what_cannot_be_saved_is_said_and_changes_nothing(operator, page, form, told):
    saved(page)
    other = saved(page, name="Other")
    messages = save(operator, page, **form).context["messages"]
    assert told in " ".join(map(str, messages))
    form = {"name": "New", "query": SHOWN[page][0], **form}
    response = operator.post(address("change", other), form, follow=True)
    assert told in " ".join(map(str, response.context["messages"]))
    kept = SavedFilter.objects.order_by("pk")
    assert [(one.name, one.query) for one in kept] == [
        ("Trouble", SHOWN[page][1]),
        ("Other", SHOWN[page][1]),
    ]


def test_a_name_may_be_used_on_each_page(operator):
    for page in (HISTORY, REPORTS):
        save(operator, page, name="Trouble")
    assert SavedFilter.objects.filter(name="Trouble").count() == 2


def test_a_search_for_a_number_is_saved_for_oneself(operator):
    save(operator, HISTORY, query="caller=%2B15551234567")
    assert SavedFilter.objects.get().query == {"caller": ["+15551234567"]}


@pytest.mark.parametrize(("page", "other"), [(HISTORY, REPORTS), (REPORTS, HISTORY)])
def test_a_filter_of_one_page_is_none_of_the_others(operator, page, other):
    one = saved(page)
    assert operator.get(address("open", one, other)).status_code == 404
    for does in ("change", "delete"):
        response = operator.post(address(does, one, other), {"name": "Taken", "query": ""})
        assert response.status_code == 404
    assert "Trouble" not in text_of(operator, other)
    assert operator.get(reverse(f"web:{other}"), {"saved": one.pk}).context["opened"] is None
    assert SavedFilter.objects.get().name == "Trouble"


@every_page
def test_what_can_be_asked_for_no_longer_can_still_be_deleted(operator, page):
    one = saved(page, query={"server": ["gone"]}, columns=[])
    response = operator.get(address("open", one), follow=True)
    assert response.status_code == 400
    assert address("delete", one) in response.content.decode()
    assert "Save the changes" not in response.content.decode()


@every_page
@pytest.mark.parametrize("does", ADDRESSES)
@pytest.mark.parametrize(
    ("role", "enters"),
    [(None, False), ("", False), ("operator", True), ("admin", True), ("auditor", True)],
    ids=["anonymous", "no role", "operator", "admin", "auditor"],
)
def test_who_sees_the_record_saves_and_opens_and_nobody_else(client, page, does, role, enters):
    one = saved(page, owner=role or "operator", shared=True)
    if role is not None:
        client.force_login(make_member(role) if role else make_user("outsider"))
    form = {"name": "New", "query": ""} if ADDRESSES[does] else None
    response = client.post(address(does, one), form) if form else client.get(address(does, one))
    if enters:
        assert response["Location"].startswith(reverse(f"web:{page}"))
    elif role is None:
        assert response["Location"].startswith(reverse("web:sign_in"))
    else:
        assert response.status_code == 403
    if not enters:
        assert [kept.name for kept in SavedFilter.objects.all()] == ["Trouble"]


@every_page
@pytest.mark.parametrize("does", [does for does, posts in ADDRESSES.items() if posts])
def test_nothing_is_changed_by_a_link(operator, page, does):
    assert operator.get(address(does, saved(page))).status_code == 405
