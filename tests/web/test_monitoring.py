"""Alive, ready, metrics; and who may read them."""

import json
from datetime import timedelta
from threading import Event
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from asgiref.sync import sync_to_async
from channels.testing import HttpCommunicator
from django.core.asgi import get_asgi_application
from django.db import OperationalError
from django.test import AsyncClient
from django.utils import timezone

from broadcasts import metrics
from broadcasts.domain.arbiter import Phase
from broadcasts.domain.lifecycle import Status
from broadcasts.domain.verdict import Verdict
from broadcasts.web import monitoring
from tests.builders import make_broadcast, make_lease, make_server, make_user

pytestmark = pytest.mark.django_db(transaction=True)

ELSEWHERE = ("192.0.2.1", 50000)
HERE = ("127.0.0.1", 50000)

make_broadcast, make_lease, make_server, make_user = map(
    sync_to_async, (make_broadcast, make_lease, make_server, make_user)
)
django = get_asgi_application()


class Answer(NamedTuple):
    """What a request was answered."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes

    def json(self):
        return json.loads(self.body)


async def get(path, *, client=HERE, service=None, session=None, headers=()):
    """Send a request as a server would, from the address `client`, with the session's cookies."""
    sent = {"Host": "localhost", **dict(headers)}
    if session:
        sent["Cookie"] = session.cookies.output(header="", sep=";").strip()
    raw = [(name.lower().encode(), value.encode()) for name, value in sent.items()]
    communicator = HttpCommunicator(django, "GET", path, headers=raw)
    communicator.scope |= {"client": client, "service": service}
    response = await communicator.get_response(5)
    return Answer(response["status"], dict(response["headers"]), response["body"])


async def test_the_process_is_alive_even_without_a_database(monkeypatch):
    monkeypatch.setattr("django.db.backends.base.base.BaseDatabaseWrapper.cursor", out_of_order)
    response = await get("/healthz", client=ELSEWHERE)
    assert (response.status, response.body) == (200, b"ok")


def out_of_order(*_):
    raise OperationalError("the database is away")


async def test_it_is_ready_with_every_link_up(service):
    await make_lease(await make_server("pbx"))
    response = await get("/readyz", service=service)
    assert response.status == 200
    assert response.json() == {
        "ready": True,
        "database": "ok",
        "service": "running",
        "links": {"pbx": "up"},
    }


async def test_a_link_that_this_process_holds_is_up_before_its_lease_says_so(service):
    server = await make_server("pbx")
    service.broker.links[server.pk] = object()
    response = await get("/readyz", service=service)
    assert response.json()["links"] == {"pbx": "up"}


async def test_it_says_which_link_is_down_and_why(service):
    await make_lease(await make_server("pbx-1"))
    await make_lease(await make_server("pbx-2"), connected_since=None, last_error="401")
    response = await get("/readyz", service=service)
    assert response.status == 503
    assert response.json()["links"] == {"pbx-1": "up", "pbx-2": "401"}


@pytest.mark.parametrize("scope", [{}, {"service": SimpleNamespace(running=False)}])
async def test_it_is_not_ready_where_the_service_does_not_run(scope):
    response = await get("/readyz", **scope)
    assert response.status == 503
    assert response.json()["service"] == "not running in this process"


async def test_it_is_not_ready_without_a_database(service, monkeypatch):
    monkeypatch.setattr("broadcasts.history.running.read_links", out_of_order)
    response = await get("/readyz", service=service)
    assert response.status == 503
    assert response.json()["database"] == "not answering"


async def test_strangers_learn_whether_it_is_ready_and_nothing_else(service):
    await make_server("pbx")
    response = await get("/readyz", client=ELSEWHERE, service=service)
    assert (response.status, response.json()) == (503, {"ready": False})


@pytest.mark.parametrize(
    ("client", "headers"),
    [
        (ELSEWHERE, {}),
        (None, {}),
        (ELSEWHERE, {"Authorization": "Bearer wrong"}),
        (ELSEWHERE, {"Authorization": "Bearer "}),
        (ELSEWHERE, {"Authorization": "Basic the-token"}),
        (HERE, {"X-Forwarded-For": "192.0.2.1"}),
        (HERE, {"Forwarded": "for=192.0.2.1"}),
    ],
)
async def test_strangers_do_not_read_the_metrics(settings, client, headers):
    settings.METRICS_TOKEN = "the-token"
    response = await get("/metrics", client=client, headers=headers)
    assert response.status == 403


async def test_without_a_token_set_an_empty_one_opens_nothing(settings):
    settings.METRICS_TOKEN = ""
    headers = {"Authorization": "Bearer "}
    response = await get("/metrics", client=ELSEWHERE, headers=headers)
    assert response.status == 403


async def test_a_signed_in_person_who_is_not_staff_does_not_read_the_metrics():
    session = AsyncClient()
    await session.aforce_login(await make_user())
    assert (await get("/metrics", client=ELSEWHERE, session=session)).status == 403


async def test_staff_read_the_metrics():
    session = AsyncClient()
    await session.aforce_login(await make_user(is_staff=True))
    assert (await get("/metrics", client=ELSEWHERE, session=session)).status == 200


async def test_the_token_opens_the_metrics(settings):
    settings.METRICS_TOKEN = "the-token"
    headers = {"Authorization": "Bearer the-token"}
    response = await get("/metrics", client=ELSEWHERE, headers=headers)
    assert response.status == 200


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_this_machine_reads_the_metrics(address):
    response = await get("/metrics", client=(address, 50000))
    assert response.status == 200
    assert response.headers[b"Content-Type"].startswith(b"text/plain; version=0.0.4")


async def test_the_metrics_count_what_happened():
    before = await samples()
    metrics.broadcasts[Status.TIMED_OUT].inc()
    metrics.claims[Verdict.TAKEN].inc()
    metrics.claim_seconds.observe(0.004)
    metrics.handover_seconds.observe(0.02)
    after = await samples()
    for name in (
        'stasis_broadcast_broadcasts_total{outcome="timed_out"}',
        'stasis_broadcast_claims_total{verdict="taken"}',
        'stasis_broadcast_claim_seconds_bucket{le="0.005"}',
        "stasis_broadcast_handover_seconds_count",
    ):
        assert after[name] == before[name] + 1


async def test_the_metrics_show_what_the_service_holds(service):
    pbx = SimpleNamespace(id=1, name="pbx")
    phases = (Phase.OFFERED, Phase.WITH_WINNER, Phase.GONE)
    calls = [SimpleNamespace(arbiter=SimpleNamespace(phase=phase)) for phase in phases]
    service.broker.servers = {1: pbx, 2: SimpleNamespace(id=2, name="spare")}
    service.broker.links = {1: object()}
    service.broker.calls_of = lambda server_id: calls if server_id == 1 else []
    service.broker.candidates.here = lambda: [(1, "ivr-a", None), (1, "ivr-b", None)]
    service.ledger = SimpleNamespace(backlog=3, owed=1)
    seen = await samples(service)
    assert seen['stasis_broadcast_live_calls{server="pbx"}'] == 2
    assert seen['stasis_broadcast_connected_candidates{server="pbx"}'] == 2
    assert seen['stasis_broadcast_link_up{server="pbx"}'] == 1
    assert seen['stasis_broadcast_link_up{server="spare"}'] == 0
    assert seen["stasis_broadcast_ledger_backlog"] == 3
    assert seen["stasis_broadcast_ledger_owed"] == 1


async def samples(service=None):
    response = await get("/metrics", service=service)
    lines = response.body.decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


async def test_the_metrics_show_how_far_sealing_lags():
    name = "stasis_broadcast_sealing_lag_seconds"
    assert (await samples())[name] == 0
    ended_at = timezone.now() - timedelta(hours=1)
    await make_broadcast(status=Status.TIMED_OUT, opened_at=ended_at, ended_at=ended_at)
    assert 3500 < (await samples())[name] < 3600


async def test_how_far_sealing_lags_is_missing_while_the_database_is_away(service, monkeypatch):
    def away():
        raise OperationalError("the database is away")

    monkeypatch.setattr(monitoring, "lag", away)
    seen = await samples(service)
    assert "stasis_broadcast_sealing_lag_seconds" not in seen
    assert seen["stasis_broadcast_ledger_owed"] == 0


async def test_a_database_that_hangs_keeps_nothing_else_back(service, monkeypatch):
    answers = Event()
    monkeypatch.setattr(monitoring, "lag", answers.wait)
    monkeypatch.setattr(monitoring, "LAG_SECONDS", 0.01)
    seen = await samples(service)
    answers.set()
    assert "stasis_broadcast_sealing_lag_seconds" not in seen
    assert seen["stasis_broadcast_ledger_owed"] == 0
