"""What monitors the service: alive, ready, metrics."""

import asyncio
from ipaddress import ip_address
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, JsonResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from broadcasts.archive.upkeep import in_thread
from broadcasts.archive.waiting import lag
from broadcasts.history import running
from broadcasts.web.service_gauges import SealingGauge, ServiceGauges

# For a gauge of the database, which may hang while what the process holds is wanted all the more.
LAG_SECONDS = 2.0

# A proxy on this machine speaks for somebody who may be anywhere.
PROXY_HEADERS = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP")

NOT_FOR_YOU = "The metrics are for this machine, for staff, and for who has METRICS_TOKEN.\n"


@require_safe
@never_cache
async def healthz(request: HttpRequest) -> HttpResponse:
    """Answer "ok" as long as the process does anything at all."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
@never_cache
async def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when calls can be broadcast, else 503; who may monitor is told what is missing."""
    report = await readiness(running_service(request))
    body = report if await may_monitor(request) else {"ready": report["ready"]}
    return JsonResponse(body, status=200 if report["ready"] else 503)


@require_safe
@never_cache
async def metrics(request: HttpRequest) -> HttpResponse:
    """Answer in Prometheus's text format; 403 to who may not monitor."""
    if not await may_monitor(request):
        return HttpResponseForbidden(NOT_FOR_YOU, content_type="text/plain")
    gauges = CollectorRegistry()
    gauges.register(SealingGauge(await sealing_lag()))
    service = running_service(request)
    if service is not None:
        # Collected here, on the event loop: nothing changes while it is being counted.
        gauges.register(ServiceGauges(service))
    body = generate_latest(REGISTRY) + generate_latest(gauges)
    return HttpResponse(body, content_type=CONTENT_TYPE_PLAIN_0_0_4)


async def sealing_lag() -> float | None:
    """Return by how many seconds sealing lags; None while the database does not tell."""
    try:
        return await asyncio.wait_for(in_thread(lag), LAG_SECONDS)
    except (DatabaseError, InterfaceError, TimeoutError):
        return None


def running_service(request: HttpRequest) -> Any:
    """Return the service that runs in this process, or None until it has started."""
    service = getattr(request, "scope", {}).get("service")
    return service if service is not None and service.running else None


async def readiness(service: Any) -> dict[str, Any]:
    """Say whether the database answers, the service runs, and each enabled server's link is up."""
    try:
        links = await sync_to_async(running.read_links)(timezone.now())
    except (DatabaseError, InterfaceError):
        links, database = [], "not answering"
    else:
        database = "ok"
    held_here = service.broker.links if service else {}
    down = {
        link["name"]: link["error"]
        for link in links
        if not link["up"] and link["id"] not in held_here
    }
    return {
        "ready": database == "ok" and service is not None and not down,
        "database": database,
        "service": "running" if service else "not running in this process",
        "links": {link["name"]: down.get(link["name"], "up") for link in links},
    }


async def may_monitor(request: HttpRequest) -> bool:
    """Whether a request comes from this machine, carries the token, or is a staff member's."""
    if from_this_machine(request) or has_token(request):
        return True
    return (await request.auser()).is_staff


def from_this_machine(request: HttpRequest) -> bool:
    """Whether the client itself, not a proxy for it, is on this machine."""
    if any(header in request.headers for header in PROXY_HEADERS):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def has_token(request: HttpRequest) -> bool:
    """Whether a request carries METRICS_TOKEN as its bearer; never, while none is set."""
    expected = f"Bearer {settings.METRICS_TOKEN}"
    given = request.headers.get("Authorization", "")
    return bool(settings.METRICS_TOKEN) and constant_time_compare(given, expected)
