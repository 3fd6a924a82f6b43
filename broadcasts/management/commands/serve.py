"""Run the whole service in this process."""

import asyncio
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from broadcasts.domain.errors import in_a_line

# How long the event loop may keep the ledger's thread from running Python. Every statement gives
# the interpreter up and has to get it back: with the default of 5 ms, a commit under load takes
# four times as long, and whoever claimed waits for it.
SWITCH_SECONDS = 0.0005


class Command(BaseCommand):
    help = "Run the service: candidates, Asterisk's links and the operators' pages."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--bind", default="127.0.0.1:8000", metavar="HOST:PORT")
        parser.add_argument("--server", choices=sorted(SERVERS), default="uvicorn")

    def handle(self, *args: Any, bind: str, server: str, **options: Any) -> None:
        host, port = parse_bind(bind)
        check_database()
        sys.setswitchinterval(SWITCH_SECONDS)
        self.stderr.write(f"Serving on http://{bind} with {server}; stop with Ctrl-C.")
        SERVERS[server](host, port)


def parse_bind(bind: str) -> tuple[str, int]:
    """Return host and port of HOST:PORT; raises CommandError for anything else."""
    host, _, port = bind.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise CommandError(f"--bind takes HOST:PORT, such as 127.0.0.1:8000, not {bind!r}.")
    return host.strip("[]"), int(port)


def check_database() -> None:
    """Raise CommandError unless the database can be reached and has every table."""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        raise CommandError(f"The database cannot be used: {in_a_line(error)}") from error
    if missing:
        raise CommandError("The database is not up to date: run `python manage.py migrate` first.")
    connection.close()


def run_uvicorn(host: str, port: int) -> None:
    """Serve with uvicorn; it starts and stops the service through ASGI's lifespan."""
    import uvicorn

    uvicorn.run(
        "broadcast_project.asgi:application",
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="broadcasts.asterisk.prompt_protocol:PromptProtocol",
        ws_max_size=8 * 1024 * 1024,
        # Events are small and many: compressing them costs more than it saves.
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=2048,
    )


def run_daphne(host: str, port: int) -> None:
    """Serve with Daphne, which knows no lifespan: the service is started beside it."""
    # Importing it first installs the asyncio reactor.
    from daphne.endpoints import build_endpoint_description_strings
    from daphne.server import Server
    from twisted.internet import reactor
    from twisted.internet.defer import Deferred

    from broadcast_project.asgi import application

    def stop() -> Deferred[None]:
        return Deferred.fromFuture(asyncio.ensure_future(application.service.stop()))

    async def start() -> None:
        try:
            await application.service.start()
        except Exception as error:
            raise SystemExit(f"The service cannot start: {error}") from error
        reactor.addSystemEventTrigger("before", "shutdown", stop)

    reactor.callWhenRunning(lambda: asyncio.ensure_future(start()))
    endpoints = build_endpoint_description_strings(host=host, port=port)
    Server(application, endpoints=endpoints, websocket_timeout=-1, server_name="").run()


SERVERS = {"daphne": run_daphne, "uvicorn": run_uvicorn}
