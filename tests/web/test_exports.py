"""The pages of exports: who may, what is asked, small ones sent, large ones made beside."""

import asyncio
import io
import zipfile
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from broadcasts.domain.lifecycle import Status
from broadcasts.exports import jobs, maker
from broadcasts.exports.verify import verify
from broadcasts.history.columns import ALL, USUAL
from broadcasts.models import AccessEvent, Export, SavedFilter, Schedule
from broadcasts.web import export_views
from tests.builders import make_broadcast, make_member, make_user

pytestmark = pytest.mark.django_db(transaction=True)

NEW = reverse("web:export_new")
LIST = reverse("web:exports")
NUMBER = "+15551234567"
OPTIONS = {"kind": "record", "format": "csv", "header": "keys", "zone": "UTC"}


@pytest.fixture(autouse=True)
def folders(settings, tmp_path: Path) -> Path:
    """Keep packages of a test to itself."""
    settings.EXPORTS_DIR, settings.REPORTS_DIR = tmp_path / "exports", tmp_path / "reports"
    return tmp_path


@pytest.fixture
def auditor(client):
    """Sign an auditor in."""
    person = make_member("auditor")
    client.force_login(person)
    return person


def ask(client, **values):
    """Send the form of a new export."""
    return client.post(NEW, {**OPTIONS, "period": "all", "columns": ["id", "status"], **values})


def content_of(response) -> bytes:
    """Return what an answer streams for the event loop."""

    async def gathered():
        return b"".join([piece async for piece in response.streaming_content])

    return asyncio.run(gathered())


def made(owner, **columns) -> Export:
    """Make an export as the service would."""
    export = Export.objects.create(
        owner=owner, **{"query": {"period": ["all"]}, "columns": ["id"], **columns}
    )
    maker.make_due()
    return Export.objects.get(pk=export.pk)


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


def test_the_form_begins_with_the_filter_and_columns_of_the_screen(client, auditor):
    make_broadcast(status=Status.FAILED)
    make_broadcast(status=Status.TIMED_OUT)
    address = f"{NEW}?kind=record&status=failed&columns=winner&columns=id"
    answer = client.get(address)
    page = answer.content.decode()
    assert "Period: Last 7 days; Status: Failed" in page
    assert "1 row" in page
    boxes = list(answer.context["asked"].options["columns"])
    assert [box.data["value"] for box in boxes if box.data["selected"]] == ["winner", "id"]
    assert [box.data["value"] for box in boxes[:2]] == ["winner", "id"]


def test_without_columns_in_the_address_the_usual_ones_are_chosen(client, auditor):
    asked = client.get(NEW).context["asked"]
    assert asked.wanted.columns == [column.key for column in USUAL]


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("since=2026-02-31", "From"),
        ("status=lost", "Status"),
        ("kind=record&columns=colour", "colour"),
        ("period=1y", "Period"),
        ("zone=Mars/Olympus", "zone"),
        ("latency_min=-1", "Claimed after"),
        ("kind=reports&first=2026-02-31", "From"),
        ("kind=everything", "There is no such export"),
        ("columns=" + "&columns=id" * 500, ""),
    ],
)
def test_a_broken_address_is_answered_in_words(client, auditor, query, why):
    answer = client.get(f"{NEW}?{query}")
    assert answer.status_code == 200
    assert why in answer.content.decode()


@pytest.mark.parametrize(
    ("kind", "period"), [("record", ""), ("changes", "all"), ("access", "all"), ("reports", "7d")]
)
def test_the_form_sends_the_period_that_its_words_say(client, auditor, kind, period):
    asked = client.get(f"{NEW}?kind={kind}").context["asked"]
    field = asked.filter["period"]
    assert (field.value() or "") == period
    assert period in dict(field.field.widget.choices)


def test_times_of_a_filter_are_shown_in_the_zone_in_which_they_will_be_read(client, auditor):
    address = f"{NEW}?since=2026-07-01T12:00:00Z&zone=Europe/Berlin"
    assert 'value="2026-07-01T14:00:00"' in client.get(address).content.decode()


@pytest.mark.parametrize("key", ["saved=x", "saved=99", "saved=" + "9" * 30, "again=x", "again=1"])
def test_what_a_form_could_begin_with_but_is_not_there_is_not_found(client, auditor, key):
    assert client.get(f"{NEW}?{key}").status_code == 404


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


def test_looking_counts_and_exports_nothing(client, auditor):
    make_broadcast()
    page = ask(client, look="1").content.decode()
    assert "1 row" in page
    assert not Export.objects.exists()
    assert not AccessEvent.objects.filter(kind="export").exists()


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"columns": []}, "Choose at least one."),
        ({"columns": ["colour"]}, "colour"),
        ({"format": "exe"}, "exe"),
        ({"header": ""}, "required"),
        ({"zone": "Mars/Olympus"}, "Mars/Olympus"),
        ({"status": "lost"}, "lost"),
        ({"since": "2026-02-31T00:00"}, "From"),
    ],
)
def test_a_wrong_form_is_answered_in_words_and_exports_nothing(client, auditor, values, why):
    answer = ask(client, **values)
    assert answer.status_code == 400
    assert why in answer.content.decode()
    assert not Export.objects.exists()


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


def test_who_may_not_unmask_is_not_offered_it_and_cannot_ask_for_it(client):
    make_broadcast(caller_number=NUMBER)
    clerk = make_user("clerk")
    group = make_member("auditor").groups.get()
    clerk.user_permissions.set(group.permissions.exclude(codename="unmask_numbers"))
    client.force_login(clerk)
    assert 'name="unmasked"' not in client.get(NEW).content.decode()
    asked = ask(client, columns=["caller"], unmasked="on")
    opened = zipfile.ZipFile(io.BytesIO(content_of(asked)))
    assert NUMBER not in opened.read("broadcasts.csv").decode()


def test_kinds_that_may_not_be_exported_are_not_offered(client):
    clerk = make_user("clerk")
    group = make_member("auditor").groups.get()
    clerk.user_permissions.set(group.permissions.exclude(codename="view_accessevent"))
    client.force_login(clerk)
    assert "kind=access" not in client.get(NEW).content.decode()
    answer = ask(client, kind="access")
    assert answer.status_code == 400
    assert "There is no such export, or it is not for you." in answer.content.decode()
    assert not Export.objects.exists()


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


def test_who_may_no_longer_see_a_kind_cannot_fetch_it_either(client, auditor):
    export = made(auditor, kind="access", columns=[])
    group = auditor.groups.get()
    group.permissions.remove(group.permissions.get(codename="view_accessevent"))
    assert client.get(reverse("web:export_download", args=[export.pk])).status_code == 404


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


def test_an_export_can_be_asked_for_again_without_its_numbers_in_the_address(client, auditor):
    export = made(auditor, query={"caller": [NUMBER], "period": ["all"]})
    page = client.get(LIST).content.decode()
    address = f"{NEW}?again={export.pk}"
    assert address in page
    assert client.get(address).context["asked"].wanted.query == export.query


def test_a_saved_filter_can_be_begun_with_but_no_strangers(client, auditor):
    query = {"status": ["failed"], "period": ["30d"]}
    saved = SavedFilter.objects.create(owner=auditor, name="Failed", query=query, columns=["id"])
    other = SavedFilter.objects.create(owner=make_user("other"), name="Private")
    asked = client.get(f"{NEW}?saved={saved.pk}").context["asked"]
    assert (asked.wanted.query, asked.wanted.columns) == (query, ["id"])
    page = client.get(NEW).content.decode()
    assert "Failed</a>" in page
    assert "Private" not in page
    assert client.get(f"{NEW}?saved={other.pk}").status_code == 404


def test_a_saved_filter_of_the_reports_begins_an_export_of_reports(client, auditor):
    saved = SavedFilter.objects.create(
        owner=auditor, name="Month", page="reports", query={"period": ["30d"]}
    )
    asked = client.get(f"{NEW}?saved={saved.pk}").context["asked"]
    assert (asked.kind, asked.wanted.query) == ("reports", {"period": ["30d"]})


SCHEDULE = {
    **OPTIONS,
    "period": "7d",
    "columns": ["id"],
    "name": "Failed calls",
    "every": "week",
    "day": "1",
    "at": "07:00",
    "delivery": "mail",
    "recipients": "ada@example.org",
}


def schedule(client, **values):
    return client.post(reverse("web:schedule_new"), {**SCHEDULE, **values})


def test_a_schedule_is_made_with_its_filter_and_is_due(client, auditor):
    answer = schedule(client, zone="Europe/Berlin")
    assert answer["Location"] == reverse("web:schedules")
    kept = Schedule.objects.get()
    assert (kept.owner, kept.query, kept.columns) == (auditor, {"period": ["7d"]}, ["id"])
    assert kept.next_at > timezone.now()
    assert "Failed calls" in client.get(reverse("web:schedules")).content.decode()


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"name": ""}, "required"),
        ({"day": "8"}, "A number from 1 to 7."),
        ({"every": "month", "day": "32"}, "A number from 1 to 31."),
        ({"day": "-1"}, "greater than or equal to 0"),
        ({"at": "25:00"}, "valid time"),
        ({"recipients": ""}, "Say to whom it is mailed."),
        ({"recipients": "ada@example.org, nobody"}, "nobody is not a mail address."),
        ({"recipients": "a@example.org\nBcc: b@example.org"}, "separated by commas"),
        ({"every": "century"}, "century"),
        ({"columns": []}, "Choose at least one."),
        ({"status": "lost"}, "lost"),
        ({"kind": "reports", "period": "1y", "columns": []}, "Period"),
    ],
)
def test_a_wrong_schedule_is_answered_in_words_and_changes_nothing(client, auditor, values, why):
    answer = schedule(client, **values)
    assert answer.status_code == 400
    assert why in answer.content.decode()
    assert not Schedule.objects.exists()


def test_a_schedule_is_changed_paused_and_removed_by_its_owner(client, auditor):
    schedule(client)
    kept = Schedule.objects.get()
    change = reverse("web:schedule_change", args=[kept.pk])
    assert client.get(change).context["asked"].wanted.columns == ["id"]
    client.post(change, {**SCHEDULE, "name": "Monthly", "every": "month", "day": "31"})
    kept.refresh_from_db()
    assert (kept.name, kept.every, kept.day) == ("Monthly", "month", 31)
    client.post(reverse("web:schedule_pause", args=[kept.pk]))
    assert Schedule.objects.get().enabled is False
    client.post(reverse("web:schedule_pause", args=[kept.pk]))
    assert Schedule.objects.get().enabled is True
    client.post(reverse("web:schedule_delete", args=[kept.pk]))
    assert not Schedule.objects.exists()


def test_a_schedule_can_be_run_now(client, auditor, folders):
    schedule(client, delivery="folder", recipients="")
    kept = Schedule.objects.get()
    answer = client.post(reverse("web:schedule_run", args=[kept.pk]))
    assert answer["Location"] == reverse("web:export", args=[Export.objects.get().pk])
    maker.make_due()
    assert len(list((folders / "reports").iterdir())) == 1


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("get", "schedule_change"),
        ("post", "schedule_change"),
        ("post", "schedule_pause"),
        ("post", "schedule_run"),
        ("post", "schedule_delete"),
    ],
)
def test_a_schedule_is_its_owners_alone(client, auditor, method, name):
    schedule(client)
    kept = Schedule.objects.get()
    client = Client()
    client.force_login(make_user("root", is_superuser=True))
    address = reverse(f"web:{name}", args=[kept.pk])
    assert getattr(client, method)(address, SCHEDULE).status_code == 404
    assert Schedule.objects.get().last_at is None
    assert "Failed calls" not in client.get(reverse("web:schedules")).content.decode()


def test_what_may_not_be_done_by_a_link_takes_a_post(client, auditor):
    for name in ("schedule_pause", "schedule_run", "schedule_delete"):
        assert client.get(reverse(f"web:{name}", args=[1])).status_code == 405
    assert client.get(reverse("web:export_cancel", args=[uuid4()])).status_code == 405
