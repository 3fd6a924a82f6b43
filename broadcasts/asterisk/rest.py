"""REST over HTTP, for an Asterisk that has none over its socket; the only place with requests."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from typing import Any, NamedTuple

import requests

from broadcasts.broker.ports import LinkDown, Response, Server
from broadcasts.domain.rest_messages import ordering_key

from .rest_over_socket import settle

WORKERS = 8
# Seconds to connect, and to wait for an answer.
TIMEOUT = (5.0, 10.0)


class Job(NamedTuple):
    method: str
    uri: str
    query: Mapping[str, str] | None
    body: Any
    future: asyncio.Future[Response]


class HttpRequests:
    """Carries out requests on threads that keep their connections.

    What concerns one channel always goes to the same thread, so it is carried out in the order in
    which it was asked. Used on the event loop's thread only.

    Args:
        lost: told of a request that got no answer: whether it was carried out is not known.
    """

    def __init__(self, server: Server, lost: Callable[[str], None] = lambda reason: None) -> None:
        self._loop = asyncio.get_running_loop()
        self._lost = lost
        self._workers = [Worker(server, self._loop) for _ in range(WORKERS)]
        self._waiting: set[asyncio.Future[Response]] = set()
        self._closed = False

    def request(
        self, method: str, uri: str, query: Mapping[str, str] | None = None, body: Any = None
    ) -> asyncio.Future[Response]:
        """See `Link.request`."""
        future = self._loop.create_future()
        if self._closed:
            settle(future, LinkDown("not connected"))
            return future
        self._waiting.add(future)
        future.add_done_callback(self._answered)
        worker = self._workers[hash(ordering_key(uri, query)) % WORKERS]
        worker.jobs.put(Job(method, uri, query, body, future))
        return future

    def _answered(self, future: asyncio.Future[Response]) -> None:
        self._waiting.discard(future)
        error = None if future.cancelled() else future.exception()
        if error and not self._closed:
            self._lost(str(error))

    def close(self) -> None:
        """Fail everything that still waits, and whatever is asked later."""
        self._closed = True
        for worker in self._workers:
            worker.jobs.put(None)
        for future in list(self._waiting):
            settle(future, LinkDown("the connection was lost before the answer"))


class Worker:
    """One thread with one connection, which works off its jobs in order."""

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop) -> None:
        self.jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._address = f"{server.url.rstrip('/')}/ari/"
        # As bytes: requests would encode text as Latin-1.
        self._credentials = (server.username.encode(), server.password.encode())
        self._loop = loop
        threading.Thread(target=self._run, name="ari-rest", daemon=True).start()

    def _run(self) -> None:
        with requests.Session() as session:
            session.auth = self._credentials
            while (job := self.jobs.get()) is not None:
                if not job.future.done():
                    self._tell(job.future, self._carry_out(session, job))

    def _carry_out(self, session: requests.Session, job: Job) -> Response | LinkDown:
        try:
            answer = session.request(
                job.method,
                self._address + job.uri,
                params=job.query,
                json=job.body,
                timeout=TIMEOUT,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            return LinkDown(f"{job.method} {job.uri}: {type(error).__name__}")
        return Response(answer.status_code, answer.content.decode(errors="replace"))

    def _tell(self, future: asyncio.Future[Response], result: Response | LinkDown) -> None:
        # The loop may have been closed meanwhile: then nobody is left to be told.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(settle, future, result)
