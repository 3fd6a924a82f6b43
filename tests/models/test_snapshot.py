"""What calls are judged by, read from the database."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from broadcasts.domain.plan import PlannedRound, Source
from broadcasts.domain.policy import OnFailedHandover
from broadcasts.domain.rules import Incoming
from broadcasts.models import Defaults, Preset, Rule
from broadcasts.models.snapshot import environment_layer, read_call_configuration
from tests.builders import make_preset, make_rule, make_server

pytestmark = pytest.mark.django_db

CALL = Incoming(1, "from-trunk", "600", "")


def planned(*raw: str, call: Incoming = CALL):
    return read_call_configuration().plan(call, raw)


def test_without_rows_the_environment_decides(settings):
    settings.BROADCAST_TIMEOUT_MS = 750
    assert planned().rounds == (PlannedRound("", 750),)


def test_an_unknown_choice_in_the_environment_is_refused(settings):
    settings.BROADCAST_ON_FAILED_HANDOVER = "maybe"
    with pytest.raises(ValueError, match="maybe"):
        environment_layer()


def test_presets_are_read():
    make_preset("vip", "^vip-", "", args="a:b", notify_claimed=True, on_failed_handover="return")
    plan = planned("", "@vip")
    assert plan.rounds == (PlannedRound("^vip-", 500), PlannedRound("", 500))
    assert (plan.args, plan.notify_claimed) == (("a", "b"), True)
    assert plan.policy.on_failed_handover is OnFailedHandover.RETURN
    assert plan.preset_version == 1


def test_rules_are_read_in_their_order_without_those_switched_off():
    vip, plain = make_preset("vip"), make_preset("plain")
    make_rule("off", plain, enabled=False)
    make_rule("second", plain, position=9)
    make_rule("first", vip, extension="_6XX", position=8)
    assert planned().rule == "first"
    assert planned(call=Incoming(1, "", "700")).rule == "second"


def test_a_rule_is_for_its_server():
    server = make_server()
    make_rule("one server", server=server)
    assert planned(call=Incoming(server.pk)).rule == "one server"
    assert planned(call=Incoming(server.pk + 1)).rule == ""


def test_defaults_of_a_server_stand_above_the_installations():
    server = make_server()
    Defaults.objects.create(timeout_ms=800, rescue=True, preset=make_preset("usual", timeout_ms=9))
    Defaults.objects.create(server=server, timeout_ms=900, on_failed_handover="return")
    base = read_call_configuration().in_force(server.pk)
    assert (base.timeout_ms, base.preset) == (900, "usual")
    assert (base.policy.rescue, base.policy.on_failed_handover) == (True, OnFailedHandover.RETURN)
    assert base.sources["rescue"] is Source.INSTALLATION


def test_a_preset_that_was_spoilt_fails_its_calls_and_no_others(caplog):
    make_preset("fine")
    Preset.objects.bulk_create([Preset(name="spoilt", rounds=[{"app_filter": 7}])])
    Preset.objects.bulk_create([Preset(name="worse", rounds="nonsense")])
    assert planned("", "@fine").refused == ""
    assert planned("", "@worse").refused
    assert "worse" in caplog.text


def test_a_rule_that_was_spoilt_is_left_out_and_told_of(caplog):
    Rule.objects.bulk_create([Rule(name="spoilt", extension="_[", preset=make_preset())])
    assert planned().rule == ""
    assert "spoilt" in caplog.text


def test_reading_takes_three_queries_however_much_there_is():
    for number in range(5):
        make_rule(f"rule-{number}")
    with CaptureQueriesContext(connection) as queries:
        read_call_configuration()
    assert len(queries) == 3


def test_judging_takes_none():
    make_rule()
    configuration = read_call_configuration()
    with CaptureQueriesContext(connection) as queries:
        configuration.plan(CALL, [])
    assert len(queries) == 0
