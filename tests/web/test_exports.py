"""Exports: who may, small ones sent, large ones made beside, watched and fetched."""

import io
import zipfile
from datetime import time
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from broadcasts.exports import jobs, maker, schedules
from broadcasts.exports.verify import verify
from broadcasts.history.columns import ALL
from broadcasts.models import AccessEvent, Export, Schedule
from broadcasts.web import export_views
from tests.builders import make_broadcast, make_member, make_user
from tests.web.export_cast import LIST, NUMBER, ask, content_of, made

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("folders")]


PAGES = [
    ("get", "web:exports", {}),
    ("get", "web:export_new", {}),
    ("post", "web:export_new", {}),
    ("get", "web:export", {"key": uuid4()}),
    ("get", "web:export_state", {"key": uuid4()}),
    ("post", "web:export_cancel", {"key": uuid4()}),
    ("get", "web:export_download", {"key": uuid4()}),
    ("get", "web:schedules", {}),
    ("get", "web:schedule_new", {}),
    ("post", "web:schedule_new", {}),
    ("get", "web:schedule_change", {"key": 1}),
    ("post", "web:schedule_pause", {"key": 1}),
    ("post", "web:schedule_run", {"key": 1}),
    ("post", "web:schedule_delete", {"key": 1}),
]


@pytest.mark.parametrize(("method", "name", "arguments"), PAGES)
def test_only_who_may_export_comes_in(client, method, name, arguments):
    address = reverse(name, kwargs=arguments)
    answer = getattr(client, method)(address)
    assert answer["Location"].startswith(reverse("web:sign_in"))
    for role in ("operator", "admin"):
        client.force_login(make_member(role))
        assert getattr(client, method)(address).status_code == 403, role
    client.force_login(make_member("auditor"))
    assert getattr(client, method)(address).status_code in ((404,) if arguments else (200, 400))


def test_the_menu_leads_to_the_exports_for_who_may(client):
    client.force_login(make_member("operator"))
    assert LIST not in client.get("/").content.decode()
    client.force_login(make_member("auditor"))
    assert LIST in client.get("/").content.decode()


def test_a_small_export_is_sent_at_once_and_recorded(client, auditor, folders):
    broadcast = make_broadcast()
    answer = ask(client)
    assert answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"].startswith('attachment; filename="record-')
    content = content_of(answer)
    assert int(answer["Content-Length"]) == len(content)
    path = folders / "package.zip"
    path.write_bytes(content)
    assert verify(path).wrong == []
    lines = zipfile.ZipFile(io.BytesIO(content)).read("broadcasts.csv").decode().splitlines()
    assert lines == ["id,status", f"{broadcast.pk},open"]
    event = AccessEvent.objects.get(kind="export")
    assert (event.who, event.address, event.detail["rows"]) == ("auditor", "127.0.0.1", 1)


def test_a_large_export_is_made_beside_and_fetched_later(client, auditor, monkeypatch):
    monkeypatch.setattr(export_views, "DIRECT_ROWS", 1)
    make_broadcast()
    make_broadcast()
    answer = ask(client)
    export = Export.objects.get()
    page = reverse("web:export", args=[export.pk])
    assert answer["Location"] == page
    assert "waiting" in client.get(page).content.decode()
    state = reverse("web:export_state", args=[export.pk])
    assert client.get(state).json() == {"state": "waiting", "rows_done": 0, "rows_total": None}
    maker.make_due()
    assert client.get(state).json() == {"state": "done", "rows_done": 2, "rows_total": 2}
    download = reverse("web:export_download", args=[export.pk])
    assert download in client.get(page).content.decode()
    assert download in client.get(LIST).content.decode()
    assert content_of(client.get(download)) == jobs.path_of(export).read_bytes()
    fetched = AccessEvent.objects.get(kind="download")
    assert fetched.detail["number"] == str(export.pk)


def test_many_rows_are_told_alike_everywhere(client, auditor):
    columns = {"owner": auditor, "rows_done": 20_000, "rows_total": 30_000}
    done = Export.objects.create(state="done", expires_at=timezone.now(), **columns)
    running = Export.objects.create(state="running", **columns)
    assert "20,000 rows," in client.get(LIST).content.decode()
    page = client.get(reverse("web:export", args=[done.pk])).content.decode()
    assert "<dd>20,000</dd>" in page
    page = client.get(reverse("web:export", args=[running.pk])).content.decode()
    assert "20,000 of 30,000 rows." in page


def test_everything_needs_no_columns(client, auditor):
    make_broadcast()
    names = zipfile.ZipFile(io.BytesIO(content_of(ask(client, columns=[], everything="on"))))
    assert {"broadcasts.csv", "candidates.csv", "attempts.csv"} < set(names.namelist())
    header = names.read("broadcasts.csv").decode().splitlines()[0]
    assert header == ",".join(column.key for column in ALL)


def test_numbers_are_masked_unless_asked_for_by_who_may(client, auditor):
    make_broadcast(caller_number=NUMBER)
    opened = zipfile.ZipFile(io.BytesIO(content_of(ask(client, columns=["caller"]))))
    assert NUMBER not in opened.read("broadcasts.csv").decode()
    asked = ask(client, columns=["caller"], unmasked="on")
    assert NUMBER in zipfile.ZipFile(io.BytesIO(content_of(asked))).read("broadcasts.csv").decode()
    assert AccessEvent.objects.filter(kind="export").first().detail["unmasked"] is True


def test_exports_are_seen_by_their_owner_and_a_superuser_alone(client, auditor):
    export = made(auditor)
    addresses = [
        reverse(f"web:{name}", args=[export.pk])
        for name in ("export", "export_state", "export_download")
    ]
    other = make_user("other")
    other.groups.set(auditor.groups.all())
    client.force_login(other)
    assert [client.get(one).status_code for one in addresses] == [404, 404, 404]
    assert client.post(reverse("web:export_cancel", args=[export.pk])).status_code == 404
    assert str(export.pk) not in client.get(LIST).content.decode()
    client.force_login(make_user("root", is_superuser=True))
    assert [client.get(one).status_code for one in addresses] == [200, 200, 200]


def take_from(person, codename) -> None:
    group = person.groups.get()
    group.permissions.remove(group.permissions.get(codename=codename))


def test_who_may_no_longer_see_a_kind_cannot_fetch_it_either(client, auditor):
    export = made(auditor, kind="access", columns=[])
    take_from(auditor, "view_accessevent")
    assert client.get(reverse("web:export_download", args=[export.pk])).status_code == 404


def a_scheduled_one(owner):
    schedule = Schedule.objects.create(
        owner=owner, name="Numbers", at=time(7), unmasked=True, delivery="folder"
    )
    export = schedules.run_now(schedule)
    maker.make_due()
    return Export.objects.get(pk=export.pk)


@pytest.mark.parametrize(
    ("make", "codename"),
    [
        (lambda owner: made(owner, unmasked=True), "unmask_numbers"),
        (a_scheduled_one, "unmask_numbers"),
        (lambda owner: made(owner, kind="changes", columns=[], query={}), "view_historicaluser"),
        (lambda owner: made(owner), "view_broadcast"),
    ],
)
def test_a_package_takes_the_rights_it_was_made_with_also_when_it_is_fetched(
    client, auditor, make, codename
):
    export = make(auditor)
    page, download = (
        reverse(f"web:{name}", args=[export.pk]) for name in ("export", "export_download")
    )
    assert client.get(download).status_code == 200
    take_from(auditor, codename)
    assert client.get(download).status_code == 404
    assert AccessEvent.objects.filter(kind="download").count() == 1
    assert "made with rights" in client.get(page).content.decode()
    assert download not in client.get(LIST).content.decode()


def test_what_was_made_masked_for_want_of_a_right_can_be_fetched_all_the_same(client, auditor):
    take_from(auditor, "unmask_numbers")
    export = made(auditor, unmasked=True)
    assert client.get(reverse("web:export_download", args=[export.pk])).status_code == 200


def test_a_number_in_a_filter_is_shown_in_full_for_as_long_as_that_is_allowed(client, auditor):
    export = made(auditor, unmasked=True, query={"caller": [NUMBER]})
    page = reverse("web:export", args=[export.pk])
    Schedule.objects.create(
        owner=auditor, name="Numbers", at=time(7), unmasked=True, query={"caller": [NUMBER]}
    )
    for address in (page, LIST, reverse("web:schedules")):
        assert NUMBER in client.get(address).content.decode(), address
    take_from(auditor, "unmask_numbers")
    for address in (page, LIST, reverse("web:schedules")):
        assert NUMBER not in client.get(address).content.decode(), address


def test_an_export_can_be_cancelled_while_it_waits(client, auditor):
    export = Export.objects.create(owner=auditor)
    page = client.post(reverse("web:export_cancel", args=[export.pk]), follow=True)
    assert "cancelled" in page.content.decode()
    assert Export.objects.get().state == "cancelled"


def test_a_package_that_is_not_on_this_host_is_said_to_be_elsewhere(client, auditor):
    export = made(auditor)
    jobs.path_of(export).unlink()
    page = client.get(reverse("web:export", args=[export.pk])).content.decode()
    assert "not on this host" in page
    assert client.get(reverse("web:export_download", args=[export.pk])).status_code == 404
    assert not AccessEvent.objects.filter(kind="download").exists()


def test_what_went_wrong_is_shown(client, auditor):
    export = made(auditor, query={"server": ["gone"]})
    assert "Server" in client.get(reverse("web:export", args=[export.pk])).content.decode()
    assert "failed" in client.get(LIST).content.decode()


def test_what_may_not_be_done_by_a_link_takes_a_post(client, auditor):
    for name in ("schedule_pause", "schedule_run", "schedule_delete"):
        assert client.get(reverse(f"web:{name}", args=[1])).status_code == 405
    assert client.get(reverse("web:export_cancel", args=[uuid4()])).status_code == 405
