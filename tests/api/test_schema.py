"""The description of the API is valid, complete, and true."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone
from jsonschema import Draft202012Validator, FormatChecker

from broadcasts.api import reference
from broadcasts.api.urls import urlpatterns
from broadcasts.domain.lifecycle import Status
from broadcasts.domain.verdict import Verdict
from broadcasts.history import columns
from broadcasts.history.filters import BroadcastFilter
from broadcasts.models import AccessEvent, Candidate, ClaimAttempt
from tests.api.cast import BROADCASTS
from tests.builders import (
    make_broadcast,
    make_lease,
    make_presence,
    make_rule,
    make_server,
    make_user,
)

pytestmark = pytest.mark.django_db

SCHEMA = "/api/v1/schema/"


@pytest.fixture(scope="module")
def schema():
    return reference.schema()


def operation(schema, path):
    return schema["paths"][path]["get"]


def matches(schema, path, answer):
    """Check an answer against what the schema says of it, and let nothing be told besides."""
    described = operation(schema, path)["responses"][str(answer.status_code)]
    shape = described["content"]["application/json"]["schema"]
    told = {**shape, "components": closed(schema["components"])}
    Draft202012Validator(told, format_checker=FormatChecker()).validate(answer.json())


def closed(components):
    """Return the components with no room for properties that they do not name."""
    shapes = {
        name: {**shape, "additionalProperties": False} if "properties" in shape else shape
        for name, shape in components["schemas"].items()
    }
    return {**components, "schemas": shapes}


def test_it_is_valid_and_nothing_in_it_is_guessed():
    call_command("spectacular", "--fail-on-warn", "--validate", stdout=StringIO())


def test_it_describes_every_address(schema):
    undescribed = {"reference", "schema", "nothing"}
    served = {f"/api/{one.pattern}" for one in urlpatterns if one.name not in undescribed}
    assert {path.replace("{id}", "<int:pk>") for path in schema["paths"]} == served


def test_everything_in_it_is_explained(schema):
    for path in schema["paths"]:
        told = operation(schema, path)
        assert told["summary"]
        assert told["description"]
        for parameter in told.get("parameters", []):
            if parameter["in"] == "query":
                assert parameter["description"], (path, parameter["name"])


def test_it_names_every_filter_and_every_column(schema):
    told = {one["name"]: one for one in operation(schema, BROADCASTS)["parameters"]}
    assert {*BroadcastFilter.base_filters} <= told.keys()
    assert {*told["status"]["schema"]["items"]["enum"]} == {one.value for one in Status}
    assert told["hour"]["schema"]["type"] == "integer"
    assert {*schema["components"]["schemas"]["BroadcastRow"]["properties"]} == {*columns.BY_KEY}


def test_it_names_every_error_and_what_to_sign_in_with(schema):
    for path in schema["paths"]:
        told = operation(schema, path)
        assert {"200", "400", "401", "403", "429"} <= told["responses"].keys()
        assert told["security"] == [{"token": []}]
    assert schema["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


def make_much():
    """Make one of each, in every state."""
    for status in Status:
        one = make_broadcast(["a", "b"], status=status, preset_name="vip", preset_version=1)
    ClaimAttempt.objects.create(
        broadcast=one,
        channel_id=one.channel_id,
        application="a",
        user="ivr",
        at=timezone.now(),
        answer=409,
        verdict=Verdict.TAKEN,
        behind_winner_ms=3.5,
    )
    Candidate.objects.filter(broadcast=one, application="a").update(
        failed_at=timezone.now(), failure="gone"
    )
    make_presence("a")
    make_lease(make_server("pbx"))
    make_server("down")
    AccessEvent.note(AccessEvent.Kind.EXPORT, "ada", "192.0.2.7", rows=12)
    make_rule()
    return one


def test_every_address_answers_as_it_says(schema, auditor):
    one = make_much()
    addresses = {path: path.replace("{id}", str(one.pk)) for path in schema["paths"]}
    for path, address in addresses.items():
        answer = auditor.get(address, **({"broadcast": one.pk} if "attempts" in path else {}))
        assert answer.status_code == 200
        assert answer.json().get("results", True), f"{path} shows nothing to check"
        matches(schema, path, answer)


def test_all_columns_of_all_states_are_as_it_says(schema, auditor):
    make_much()
    answer = auditor.get(fields=",".join(columns.BY_KEY))
    assert len(answer.json()["results"]) == len(Status)
    matches(schema, BROADCASTS, answer)


def test_a_row_that_is_not_as_it_says_would_be_found(schema, auditor, monkeypatch):
    make_much()
    monkeypatch.setattr("broadcasts.api.views.shown", lambda *_, **__: {"surprise": 1})
    with pytest.raises(Exception, match="surprise"):
        matches(schema, BROADCASTS, auditor.get())


def test_errors_are_as_it_says(schema, operator, client):
    one = "/api/v1/broadcasts/{id}/"
    matches(schema, BROADCASTS, operator.get(wnner="a", page_size="0"))
    matches(schema, BROADCASTS, client.get(BROADCASTS))
    matches(schema, BROADCASTS, operator.get(unmasked="true"))
    matches(schema, one, operator.get("/api/v1/broadcasts/1/"))


def test_it_is_served_as_json_and_as_yaml(operator):
    assert operator.get(SCHEMA).json()["openapi"].startswith("3.1")
    answer = operator.client.get(SCHEMA, headers={"accept": "application/yaml"})
    assert answer.content.startswith(b"openapi: 3.1")


def test_who_may_not_see_the_record_does_not_see_it(client):
    client.force_login(make_user("nobody"))
    assert client.get(SCHEMA).status_code == 403
