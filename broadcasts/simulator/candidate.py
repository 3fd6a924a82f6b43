"""A candidate: an ARI application that claims calls, answers, talks for a while and hangs up.

A starting point for your own: it is a plain ARI application that also knows two things, the event
``CallBroadcast`` and the request ``POST /ari/events/claim``. Copy the file, put your work into
`Candidate.talk`, and run it against the broadcast service or an Asterisk with native
StasisBroadcast; only the URL differs.

    ARI_PASSWORD=secret python -m broadcasts.simulator.candidate --url http://127.0.0.1:8000 \
        --user ivr-main --app ivr-main --think 0-200ms --talk 5
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import requests
import websocket

log = logging.getLogger("candidate")

RECONNECT_SECONDS = 1.0
REQUEST_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True)
class Options:
    """How this candidate connects and behaves.

    Attributes:
        url: of the service, such as ``http://127.0.0.1:8000``, without ``/ari``.
        user: ARI user; the service lets it speak for `app`.
        password: of that user.
        app: the name to register and to claim for.
        think_ms: shortest and longest time before a claim, in milliseconds.
        talk: seconds from answering to hanging up.
    """

    url: str
    user: str
    password: str
    app: str
    think_ms: tuple[int, int] = (0, 0)
    talk: float = 2.0


Work = Callable[[dict[str, Any]], None]


class Candidate:
    """Takes part in broadcasts until `stop`. Every call is worked on in a thread of its own."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._stopping = threading.Event()
        self._socket: websocket.WebSocket | None = None

    def run(self) -> None:
        """Stay connected; returns after `stop`."""
        while not self._stopping.is_set():
            try:
                self._listen()
            except (OSError, websocket.WebSocketException) as error:
                log.info("%s is not connected: %s", self.options.app, error)
            self._stopping.wait(RECONNECT_SECONDS)

    def stop(self) -> None:
        """End `run`, from any thread; calls in progress are left to end by themselves."""
        self._stopping.set()
        if self._socket is not None:
            self._socket.abort()  # type: ignore[no-untyped-call]

    def _listen(self) -> None:
        """Connect, and hand every event to `on_event` until the connection ends."""
        query = urlencode(
            {"app": self.options.app, "api_key": f"{self.options.user}:{self.options.password}"}
        )
        address = re.sub("^http", "ws", self.options.url)
        self._socket = websocket.create_connection(f"{address}/ari/events?{query}")
        log.info("%s is connected to %s", self.options.app, self.options.url)
        try:
            while text := self._socket.recv():
                self.on_event(json.loads(text))
        finally:
            self._socket.close()

    def on_event(self, event: dict[str, Any]) -> None:
        """Only start work here: what takes time would hold up the next event."""
        work = {"CallBroadcast": self.claim, "StasisStart": self.talk}.get(event["type"])
        if work is not None:
            threading.Thread(target=self._work, args=(work, event), daemon=True).start()

    def _work(self, work: Work, event: dict[str, Any]) -> None:
        try:
            work(event)
        except requests.RequestException as error:
            log.warning("%s: %s", self.options.app, error)

    def claim(self, event: dict[str, Any]) -> None:
        """A call is on offer: 204 wins it, 409 means that somebody was faster, 404 too late."""
        time.sleep(random.uniform(*self.options.think_ms) / 1000)
        channel = event["channel"]["id"]
        status = self.ari("POST", "events/claim", channelId=channel, application=self.options.app)
        log.info("%s claims %s: %s", self.options.app, channel, status)

    def talk(self, event: dict[str, Any]) -> None:
        """The call is ours now, with the broadcast's arguments in ``event["args"]``."""
        channel = quote(event["channel"]["id"], safe="")
        log.info("%s has %s, arguments %s", self.options.app, channel, event["args"])
        self.ari("POST", f"channels/{channel}/answer")
        time.sleep(self.options.talk)
        self.ari("DELETE", f"channels/{channel}")  # 404 when the caller was faster

    def ari(self, method: str, path: str, **parameters: str) -> int:
        """Ask for an ARI resource and return the status of the answer."""
        answer = requests.request(
            method,
            f"{self.options.url}/ari/{path}",
            params=parameters,
            auth=(self.options.user, self.options.password),
            timeout=REQUEST_TIMEOUT_SECONDS,
        )
        return int(answer.status_code)


def milliseconds(text: str) -> tuple[int, int]:
    """``0-200ms`` or ``50`` as shortest and longest; raises argparse.ArgumentTypeError."""
    found = re.fullmatch(r"(\d+)(?:-(\d+))?(?:ms)?", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"not a time such as 50 or 0-200ms: {text}")
    return int(found[1]), int(found[2] or found[1])


def main() -> None:
    parser = argparse.ArgumentParser(description="A sample candidate application.")
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--user", required=True)
    parser.add_argument(
        "--password", default=os.environ.get("ARI_PASSWORD"), help="or ARI_PASSWORD"
    )
    parser.add_argument("--app", required=True, help="application name to register and claim for")
    parser.add_argument("--think", type=milliseconds, default="0", help="before a claim: 0-200ms")
    parser.add_argument("--talk", type=float, default=2.0, help="seconds until it hangs up")
    given = parser.parse_args()
    if not given.password:
        parser.error("a password is needed: set ARI_PASSWORD")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    options = Options(given.url, given.user, given.password, given.app, given.think, given.talk)
    candidate = Candidate(options)
    try:
        candidate.run()
    except KeyboardInterrupt:
        candidate.stop()


if __name__ == "__main__":
    main()
