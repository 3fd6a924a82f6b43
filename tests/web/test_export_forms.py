"""What is asked of an export, and what its form begins with."""

import io
import zipfile

import pytest

from broadcasts.domain.lifecycle import Status
from broadcasts.history.columns import USUAL
from broadcasts.models import AccessEvent, Export, SavedFilter
from tests.builders import make_broadcast, make_member, make_user
from tests.web.export_cast import LIST, NEW, NUMBER, ask, content_of, made

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("folders")]


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


def test_the_filter_is_asked_for_in_groups_and_each_field_once(client, auditor):
    asked = client.get(NEW).context["asked"]
    assert [title for title, _ in asked.groups] == ["When", "The call", "Outcome", "Applications"]
    names = [field.name for field in asked.ungrouped]
    assert names == ["period", "q"]
    names += [field.name for _, fields in asked.groups for field in fields]
    assert sorted(names) == sorted(field.name for field in asked.filter.visible_fields())
    assert client.get(f"{NEW}?kind=reports").context["asked"].groups == []
