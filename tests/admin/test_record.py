"""The record in the admin: nobody changes it, and no list counts it."""

import pytest
from django.contrib import admin
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from broadcasts import access
from broadcasts.domain.lifecycle import Status
from broadcasts.models import Broadcast, Candidate, ClaimAttempt
from tests.admin.cast import configured, person, visitor
from tests.builders import make_broadcast, make_server

pytestmark = pytest.mark.django_db

MODELS = (Broadcast, Candidate, ClaimAttempt)
LIST = reverse("admin:broadcasts_broadcast_changelist")


@pytest.mark.parametrize("model", MODELS)
def test_nobody_may_add_change_or_delete_any_of_it(model):
    request = RequestFactory().get("/")
    request.user = person("superuser")
    page = admin.site.get_model_admin(model)
    assert page.has_view_permission(request)
    assert not page.has_add_permission(request)
    assert not page.has_change_permission(request)
    assert not page.has_delete_permission(request)


@pytest.mark.parametrize("model", MODELS)
def test_a_list_asks_as_often_however_long_it_is_and_counts_nothing(model):
    configured()
    client = visitor("superuser")
    address = reverse(f"admin:broadcasts_{model._meta.model_name}_changelist")
    client.get(address)

    def queries() -> list[str]:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert client.get(address).status_code == 200
        return [query["sql"] for query in captured]

    few = queries()
    for _ in range(60):
        make_broadcast(offered=["a", "b"])
    many = queries()
    assert len(many) == len(few)
    assert not [query for query in many if "COUNT(" in query.upper()]


def found(client, **query) -> str:
    answer = client.get(LIST, query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_call_is_found_by_its_channel_and_by_its_numbers():
    make_broadcast(channel_id="1700.5", caller_number="+15550111", called="701")
    make_broadcast(caller_number="+15550122", called="702")
    client = visitor("operator")
    for term in ("1700.5", "+15550111", "701"):
        page = found(client, q=term)
        assert "•••0111" in page
        assert "•••0122" not in page


@pytest.mark.parametrize(
    "query",
    [
        {"status__exact": Status.FAILED.value},
        {"winner": "sales"},
        {"opened_at_to_0": "2020-01-01", "opened_at_to_1": "00:00:00"},
    ],
)
def test_the_list_is_narrowed_down(query):
    make_broadcast(caller_number="+15550133")
    assert "•••0133" in found(visitor("operator"))
    assert "•••0133" not in found(visitor("operator"), **query)


def test_the_list_is_narrowed_down_to_a_server():
    make_broadcast(caller_number="+15550133", server=make_server("east"))
    for name, is_found in (("east", True), ("west", False)):
        page = found(visitor("operator"), server__id__exact=make_server(name).pk)
        assert ("•••0133" in page) == is_found


@pytest.mark.parametrize("model", ["candidate", "claimattempt"])
def test_what_belongs_to_calls_is_narrowed_down_by_the_application(model):
    things = configured()
    address = reverse(f"admin:broadcasts_{model}_changelist")
    for asked, count in ((things.candidate.application, 1), ("another", 0)):
        answer = visitor("operator").get(address, {"application": asked})
        assert answer.status_code == 200
        assert len(answer.context["cl"].result_list) == count


def addresses_of(broadcast) -> list[str]:
    """Return the lists and the pages that tell of a broadcast."""
    attempt = broadcast.attempts.create(
        channel_id="1700.5", application="a", user="u", at=timezone.now(), answer=204, verdict="won"
    )
    rows = (broadcast, broadcast.candidates.get(), attempt)
    names = [f"admin:broadcasts_{row._meta.model_name}" for row in rows]
    return [reverse(f"{name}_changelist") for name in names] + [
        reverse(f"{name}_change", args=[row.pk]) for name, row in zip(names, rows, strict=True)
    ]


def unmask(client) -> None:
    """Do to a visitor's session what unmasking does."""
    session = client.session
    session[access.UNMASKED_UNTIL] = (timezone.now() + access.UNMASKED_FOR).timestamp()
    session.save()


def make_private():
    """Make a broadcast that tells its caller's number in many places."""
    return make_broadcast(
        caller_name="Ada Lovelace",
        channel_name="Local/+15550100@trunk",
        reason="+15550100 is gone",
        arguments_given=["+15550100", "Ada Lovelace"],
        warnings=["Ada Lovelace is odd"],
        channel={
            "name": "Local/+15550100@trunk",
            "caller": {"name": "Ada Lovelace", "number": "+15550100"},
        },
    )


def test_numbers_are_masked_on_every_page_of_the_record():
    broadcast = make_private()
    client = visitor("superuser")
    for address in addresses_of(broadcast):
        page = client.get(address).content.decode()
        assert "•••0100" in page, address
        assert "5550100" not in page, address
        assert "Lovelace" not in page, address


def test_what_is_told_of_a_candidate_is_masked_on_every_page():
    broadcast = make_private()
    Candidate.objects.update(failure="Ada Lovelace at +15550100 is gone")
    client, addresses = visitor("superuser"), addresses_of(broadcast)
    for address in addresses:
        page = client.get(address).content.decode()
        assert "5550100" not in page, address
        assert "Lovelace" not in page, address
    unmask(client := visitor("auditor"))
    for address in (addresses[1], addresses[3], addresses[4]):
        assert "Ada Lovelace at +15550100 is gone" in client.get(address).content.decode(), address


@pytest.mark.parametrize("role", ["admin", "auditor", "superuser"])
@pytest.mark.parametrize(
    ("model", "asked"),
    [
        ("broadcast", "caller_number__startswith"),
        ("broadcast", "caller_number"),
        ("broadcast", "caller_name__contains"),
        ("broadcast", "channel__caller__name__startswith"),
        ("broadcast", "app_args__icontains"),
        ("candidate", "broadcast__caller_number__startswith"),
        ("claimattempt", "broadcast__caller_number__startswith"),
    ],
)
def test_an_address_cannot_ask_what_a_number_or_a_name_begins_with(role, model, asked):
    configured()
    address = reverse(f"admin:broadcasts_{model}_changelist")
    assert visitor(role).get(address, {asked: "+1555"}).status_code == 400


def test_who_has_unmasked_numbers_sees_them():
    broadcast = make_private()
    unmask(client := visitor("auditor"))
    for address in addresses_of(broadcast):
        assert "+15550100" in client.get(address).content.decode(), address


def test_what_is_shown_masked_is_kept_as_it_is():
    broadcast = make_private()
    visitor("superuser").get(reverse("admin:broadcasts_broadcast_change", args=[broadcast.pk]))
    assert Broadcast.objects.get().caller_number == "+15550100"


def test_a_call_is_shown_with_its_candidates_and_claims():
    things = configured()
    address = reverse("admin:broadcasts_broadcast_change", args=[things.broadcast.pk])
    page = visitor("auditor").get(address).content.decode()
    assert things.candidate.application in page
    assert str(things.claimattempt.answer) in page
