"""The pages of schedules."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from broadcasts.exports import maker
from broadcasts.models import Export, Schedule
from tests.builders import make_user
from tests.web.export_cast import OPTIONS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("folders")]


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
