"""ARI's resources: a request in, the status and body of a real Asterisk out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from . import channels_resource, events
from .answers import NO_CONTENT, Answer, RefusedError, Request, ok
from .applications import Application
from .pbx import Pbx

Handler = Callable[[Pbx, Request], Answer]
METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH")


class Resources:
    """The tree of resources of one Asterisk.

    Args:
        pbx: what they act on.
        version: as ``GET /asterisk/info`` tells it.
    """

    def __init__(self, pbx: Pbx, version: str) -> None:
        self.pbx = pbx
        self.version = version
        self._routes: list[tuple[re.Pattern[str], Mapping[str, Handler]]] = []
        self.add(ROUTES | {"asterisk/info": {"GET": self.info}})

    def add(self, routes: Mapping[str, Mapping[str, Handler]]) -> None:
        """Serve more resources: by path, such as ``channels/{id}``, and method."""
        for template, handlers in routes.items():
            pattern = re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", template)
            self._routes.append((re.compile(pattern), handlers))

    def handle(self, method: str, path: str, params: Mapping[str, str], body: Any) -> Answer:
        """Answer one authenticated request. `path` is what follows ``/ari/``."""
        if path.endswith("/"):
            hint = f"ARI URLs do not end with a slash. Try /ari/{path[:-1]}"
            return Answer(404, {"message": hint})
        for pattern, handlers in self._routes:
            if found := pattern.fullmatch(path):
                fields = body if isinstance(body, dict) else {}
                return self._dispatch(method, handlers, Request(found.groupdict(), params, fields))
        return Answer(404, {"message": "Resource not found"})

    def _dispatch(self, method: str, handlers: Mapping[str, Handler], request: Request) -> Answer:
        allow = {"Allow": ",".join(["OPTIONS", *handlers])}
        if method == "OPTIONS":
            return Answer(204, headers=allow)
        if method not in handlers:
            return Answer(405, {"message": "Invalid method"}, headers=allow)
        try:
            return handlers[method](self.pbx, request)
        except RefusedError as refused:
            return refused.answer

    def info(self, pbx: Pbx, request: Request) -> Answer:
        parts = {
            "build": {"os": "Linux", "kernel": "", "machine": "", "options": "", "date": ""},
            "system": {"version": self.version, "entity_id": pbx.asterisk_id},
            "config": {"name": "", "default_language": "en"},
            "status": {"startup_time": events.timestamp(), "last_reload_time": events.timestamp()},
        }
        only = request.value("only")
        return ok({key: part for key, part in parts.items() if not only or key in only.split(",")})


def events_socket(pbx: Pbx, request: Request) -> Answer:
    """Over HTTP this is where the WebSocket opens, so only a RESTRequest comes here."""
    raise RefusedError(400, "Can't upgrade to websocket from a websocket", "Bad request")


def ping(pbx: Pbx, request: Request) -> Answer:
    return ok({"ping": "pong", "timestamp": events.timestamp(), "asterisk_id": pbx.asterisk_id})


def list_applications(pbx: Pbx, request: Request) -> Answer:
    return ok([application.as_json() for application in pbx.applications])


def get_application(pbx: Pbx, request: Request) -> Answer:
    return ok(_application(pbx, request.path["app"]).as_json())


def _application(pbx: Pbx, name: str) -> Application:
    application = pbx.applications.find(name)
    if application is None:
        raise RefusedError(404, "Application not found")
    return application


def _channel_ids(request: Request, name: str) -> list[str]:
    """The ids in a list of ``channel:ID``."""
    sources = request.value(name).split(",") if request.value(name) else []
    if any(not source.startswith("channel:") for source in sources):
        raise RefusedError(400, "Invalid event source URI scheme")
    return [source.removeprefix("channel:") for source in sources]


def _event_sources(request: Request) -> list[str]:
    if not request.value("eventSource"):
        raise RefusedError(400, "Missing parameter eventSource")
    return _channel_ids(request, "eventSource")


def subscribe(pbx: Pbx, request: Request) -> Answer:
    sources = _event_sources(request)
    application = _application(pbx, request.path["app"])
    if any(channel_id not in pbx.channels for channel_id in sources):
        raise RefusedError(422, "Event source does not exist")
    for channel_id in sources:
        application.subscribe(pbx.channels[channel_id])
    return ok(application.as_json())


def unsubscribe(pbx: Pbx, request: Request) -> Answer:
    sources = _event_sources(request)
    application = _application(pbx, request.path["app"])
    if not all(application.interest[channel_id] > 0 for channel_id in sources):
        raise RefusedError(422, "Event source was not subscribed to")
    for channel_id in sources:
        application.unsubscribe(channel_id)
    return ok(application.as_json())


def user_event(pbx: Pbx, request: Request) -> Answer:
    if not request.value("application"):
        raise RefusedError(400, "Missing parameter application")
    application = _application(pbx, request.value("application"))
    sources = _channel_ids(request, "source")
    if any(channel_id not in pbx.channels for channel_id in sources):
        raise RefusedError(422, "Event source was not found")
    variables = request.body.get("variables", {})
    if not isinstance(variables, dict):
        raise RefusedError(400, "Invalid userevent data")
    name = request.path["name"]
    channel = pbx.channels[sources[0]] if sources else None
    application.send(events.channel_userevent(name, {**variables, "eventname": name}, channel))
    return NO_CONTENT


ROUTES: dict[str, dict[str, Handler]] = {
    "applications": {"GET": list_applications},
    "applications/{app}": {"GET": get_application},
    "applications/{app}/subscription": {"POST": subscribe, "DELETE": unsubscribe},
    "asterisk/ping": {"GET": ping},
    "events": {"GET": events_socket},
    "events/user/{name}": {"POST": user_event},
    **channels_resource.ROUTES,
}
