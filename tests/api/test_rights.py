"""Who may read over the API: a matrix of tokens and addresses."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client, override_settings
from django.utils import timezone

from broadcasts.api.urls import urlpatterns
from broadcasts.models import AccessEvent, ApiToken
from tests.api.cast import BROADCASTS, Program, person, role_of
from tests.builders import make_broadcast, make_user

pytestmark = pytest.mark.django_db

LISTS = {
    "/api/v1/broadcasts/": {"operator", "admin", "auditor"},
    "/api/v1/attempts/": {"operator", "admin", "auditor"},
    "/api/v1/applications/": {"operator", "admin", "auditor"},
    "/api/v1/links/": {"operator", "admin", "auditor"},
    "/api/v1/reports/": {"operator", "admin", "auditor"},
    "/api/v1/schema/": {"operator", "admin", "auditor"},
    "/api/v1/changes/": {"admin", "auditor"},
    "/api/v1/access-events/": {"admin", "auditor"},
}
ADDRESSES = [*LISTS, "/api/v1/broadcasts/1/", "/api/v1/nowhere/", "/api/v1/"]


def error(answer):
    """Return a refusal's status and code; it always says something."""
    told = answer.json()
    assert told["message"]
    return answer.status_code, told["code"]


def test_every_address_is_in_the_matrix():
    names = {str(one.pattern) for one in urlpatterns if one.name not in ("reference", "nothing")}
    listed = {address.removeprefix("/api/") for address in ADDRESSES}
    assert {name.replace("<int:pk>", "1") for name in names} <= listed


@pytest.mark.parametrize("address", ADDRESSES)
def test_without_a_token_nothing_is_told(client, address):
    answer = client.get(address)
    assert error(answer) == (401, "not_authenticated")
    assert answer["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("address", ADDRESSES[:-1])
def test_a_session_is_no_token_but_for_the_schema(client, address):
    client.force_login(make_user(is_superuser=True))
    assert client.get(address).status_code == (200 if "schema" in address else 401)


@pytest.mark.parametrize("role", ["operator", "admin", "auditor"])
@pytest.mark.parametrize("address", LISTS)
def test_a_token_may_what_its_role_may(role, address):
    status = Program(role).get(address).status_code
    assert status == (200 if role in LISTS[address] else 403)


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer sb_no-such-token",
        "Bearer a b",
        "Bearer \xff\xfe",
        "Token sb_whatever",
        "Basic b2xnYTpzZWNyZXQ=",
    ],
)
def test_what_is_no_token_is_refused_in_words(header):
    answer = Client(headers={"authorization": header}).get(BROADCASTS)
    assert answer.status_code == 401
    assert error(answer)[0] == 401


def test_only_a_hash_of_a_token_is_kept(operator):
    kept = str(ApiToken.objects.values().get())
    assert operator.secret.startswith("sb_")
    assert operator.secret not in kept
    assert len(operator.secret) == len("sb_") + 64


def test_an_expired_token_is_none(operator):
    ApiToken.objects.update(expiry=timezone.now())
    assert error(operator.get()) == (401, "authentication_failed")
    assert ApiToken.objects.exists()


def test_a_token_without_an_expiry_is_none(operator):
    ApiToken.objects.update(expiry=None)
    assert operator.get().status_code == 401


def test_an_ended_token_is_none(operator):
    assert operator.get().status_code == 200
    operator.token.delete()
    assert error(operator.get()) == (401, "authentication_failed")


def test_a_token_ends_with_its_owners_account(operator):
    operator.owner.is_active = False
    operator.owner.save()
    assert operator.get().status_code == 401
    operator.owner.delete()
    assert operator.get().status_code == 401


def test_a_token_may_nothing_once_its_owner_has_lost_the_role(auditor):
    auditor.owner.groups.set([role_of("operator")])
    assert error(auditor.get()) == (403, "permission_denied")


def test_what_its_owner_may_besides_is_not_the_tokens(operator):
    operator.owner.groups.add(role_of("auditor"))
    assert operator.get("/api/v1/access-events/").status_code == 403
    assert operator.get(unmasked="true").status_code == 403


def test_a_right_taken_from_the_role_is_taken_from_its_tokens(operator):
    role_of("operator").permissions.remove(Permission.objects.get(codename="view_broadcast"))
    assert error(operator.get()) == (403, "permission_denied")
    assert operator.get("/api/v1/links/").status_code == 200


def test_a_superusers_token_may_what_its_role_may_and_no_more():
    program = Program("operator", owner=person(is_superuser=True))
    assert program.get().status_code == 200
    assert program.get("/api/v1/access-events/").status_code == 403
    program.owner.is_superuser = False
    program.owner.save()
    assert program.get().status_code == 403


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options", "trace"])
@pytest.mark.parametrize("address", [*LISTS, "/api/v1/broadcasts/1/", "/api/v1/nowhere/"])
def test_nothing_can_be_changed(operator, method, address):
    answer = getattr(operator.client, method)(address)
    assert answer.status_code in (403, 405)
    if "operator" in LISTS.get(address, {"operator"}):
        assert error(answer) == (405, "method_not_allowed")


def test_no_answer_is_kept_on_the_way(operator):
    assert operator.get()["Cache-Control"] == "no-store"


@override_settings(API_RATE="2/minute")
def test_a_token_that_asks_too_often_is_told_when_to_go_on(operator):
    assert [operator.get().status_code for _ in range(3)] == [200, 200, 429]
    answer = operator.get()
    assert error(answer) == (429, "throttled")
    assert 0 < int(answer["Retry-After"]) <= 60
    assert Program("operator").get().status_code == 200


@override_settings(API_RATE="")
def test_the_rate_can_be_unlimited(operator):
    assert operator.get().status_code == 200


def test_when_a_token_was_used_is_known_to_the_minute(operator, django_assert_num_queries):
    before = timezone.now()
    ApiToken.objects.update(last_used_at=before - timedelta(seconds=61))
    operator.get()
    noted = ApiToken.objects.get().last_used_at
    assert noted > before
    operator.get()
    assert ApiToken.objects.get().last_used_at == noted


def test_numbers_are_masked_unless_they_are_asked_for(auditor):
    broadcast = make_broadcast(
        caller_name="Ada", channel_name="Local/+15550100@trunk", reason="+15550100 is busy"
    )
    fields = "caller,caller_name,channel_name,reason"
    masked = {
        "caller": "•••0100",
        "caller_name": "A•••",
        "channel_name": "Local/•••0100@trunk",
        "reason": "•••0100 is busy",
    }
    assert auditor.rows(fields=fields) == [masked]
    assert "5550100" not in auditor.get(f"{BROADCASTS}{broadcast.pk}/").content.decode()
    assert auditor.rows(fields="caller", unmasked="true") == [{"caller": "+15550100"}]
    whole = auditor.get(f"{BROADCASTS}{broadcast.pk}/", unmasked="true").json()
    assert (whole["caller"], whole["channel_name"]) == ("+15550100", "Local/+15550100@trunk")


def test_a_masked_caller_can_be_looked_for(operator):
    make_broadcast(caller_number="+1999")
    wanted = make_broadcast()
    assert [row["id"] for row in operator.rows(caller="+15550100")] == [wanted.pk]


@pytest.mark.parametrize("address", [BROADCASTS, f"{BROADCASTS}1/"])
def test_a_token_that_may_not_sees_no_number_in_full(operator, address):
    make_broadcast(pk=1)
    assert error(operator.get(address, unmasked="true")) == (403, "permission_denied")
    assert not AccessEvent.objects.exists()


def test_an_unmasking_is_recorded_once_for_all_pages_of_a_list(auditor):
    for _ in range(3):
        make_broadcast()
    page = auditor.get(unmasked="true", page_size=1, caller="+15550100").json()
    while page["next"]:
        page = auditor.client.get(page["next"]).json()
    event = AccessEvent.objects.get()
    assert (event.kind, event.who) == ("unmask", auditor.owner.username)
    assert event.detail == {
        "token": "a dashboard",
        "path": BROADCASTS,
        "filter": {"unmasked": ["true"], "caller": ["•••0100"]},
    }


def test_another_unmasking_is_another_event(auditor):
    make_broadcast(pk=1)
    auditor.get(unmasked="true")
    auditor.get(unmasked="true", caller="+15550100")
    auditor.get(unmasked="true", caller="+19990100")
    auditor.get(f"{BROADCASTS}1/", unmasked="true")
    Program("auditor").get(unmasked="true")
    assert AccessEvent.objects.count() == 5
