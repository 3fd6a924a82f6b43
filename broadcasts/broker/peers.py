"""The other processes of this service: who they are, who is connected to them, what to look at.

Between processes only hints travel, over the channel layer; the truth is in the database. A hint
that is lost costs latency: the deadline of a call reads its row again, and presence is read anew
every second.
"""

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from channels.layers import get_channel_layer
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from broadcasts.domain.arbiter import Phase
from broadcasts.domain.errors import in_a_line
from broadcasts.domain.lifecycle import Status
from broadcasts.domain.messages import call_broadcast, call_claimed
from broadcasts.ledger.entries import moment
from broadcasts.models import Broadcast, Connection, Presence, Process

from .broker import Broker
from .call import Call
from .database import OUTAGE, beside_pages
from .tasks import end

log = logging.getLogger(__name__)

GROUP = "broker"
HEARTBEAT_SECONDS = 1.0
# Unseen for this long, a process is dead, and its candidates with it.
DEAD_AFTER = timedelta(seconds=5)
FORGOTTEN = Q(seen_at__lt=Now() - timedelta(minutes=5))

Key = tuple[int, str]


class Peers:
    """Makes the candidates of every process candidates of every call."""

    def __init__(self, broker: Broker, process_id: UUID) -> None:
        self.broker = broker
        self.process_id = process_id
        self._layer = get_channel_layer()
        self._written: dict[Key, str] = {}
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._hints: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Make this process known and begin to listen."""
        await self._register()
        self.broker.on_offered.append(self._offered)
        self.broker.on_changed.append(self._claimed)
        self.broker.on_claimed_elsewhere.append(self._claimed_elsewhere)
        self.broker.candidates.on_change.append(self._changed.set)
        self._tasks = [asyncio.create_task(self._beat()), asyncio.create_task(self._listen())]

    async def stop(self) -> None:
        """Take this process and its candidates off the list."""
        await end(self._tasks)
        with contextlib.suppress(*OUTAGE):
            await self._unregister()

    # Presence

    async def _beat(self) -> None:
        while True:
            self._changed.clear()
            try:
                changed = await self._synchronize()
            except OUTAGE as error:
                log.warning("Presence cannot be kept: %s", in_a_line(error))
            else:
                if changed:
                    self._hint("presence")
            with contextlib.suppress(TimeoutError):
                # Not by wait_for, which may swallow that this is cancelled (bpo-37658).
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await self._changed.wait()
                await asyncio.sleep(0.02)  # Many candidates come at once: one write for all.

    async def _synchronize(self) -> bool:
        """Write who is here, read who is elsewhere; returns whether ours have changed."""
        here = {
            (server_id, application): session.principal.name
            for server_id, application, session in self.broker.candidates.here()
        }
        changed, elsewhere, self.broker.alone = await self._exchange(here)
        self._written = here
        self.broker.candidates.set_elsewhere(elsewhere)
        return changed

    @beside_pages
    def _exchange(self, here: dict[Key, str]) -> tuple[bool, dict[int, list[str]], bool]:
        changed = self._write(here)
        others = Process.objects.exclude(pk=self.process_id)
        if others.filter(FORGOTTEN).exists():
            self._forget_dead()
        peers = set(others.filter(seen_at__gt=Now() - DEAD_AFTER).values_list("pk", flat=True))
        elsewhere: dict[int, list[str]] = {}
        if peers:
            for server_id, name in Presence.objects.filter(process__in=peers).values_list(
                "server_id", "application"
            ):
                elsewhere.setdefault(server_id, []).append(name)
        return changed, elsewhere, not peers

    def _write(self, here: dict[Key, str]) -> bool:
        """Write that this process lives and who has come and gone; returns whether anybody has."""
        written = self._written
        with transaction.atomic():
            if not Process.objects.filter(pk=self.process_id).update(seen_at=Now()):
                # The database was away for so long that another process took this one for dead,
                # and with its row went all that was written of it.
                self._create()
                written = {}
            gone = written.keys() - here.keys()
            come = {key: user for key, user in here.items() if key not in written}
            self._write_gone(gone)
            self._write_come(come)
        return bool(gone or come)

    def _write_gone(self, gone: Iterable[Key]) -> None:
        present = Presence.objects.filter(process_id=self.process_id)
        connections = Connection.objects.current(self.process_id)
        for server_id, application in gone:
            key = {"server_id": server_id, "application": application}
            present.filter(**key).delete()
            connections.filter(**key).update(until=Now())

    def _write_come(self, come: dict[Key, str]) -> None:
        columns = [
            {"server_id": server_id, "application": application, "user": user, "since": Now()}
            for (server_id, application), user in come.items()
        ]
        Presence.objects.bulk_create(
            [Presence(process_id=self.process_id, **values) for values in columns],
            ignore_conflicts=True,
        )
        Connection.objects.bulk_create(
            [Connection(process=self.process_id, **values) for values in columns]
        )

    @staticmethod
    def _forget_dead() -> None:
        """Remove processes that crashed; their candidates were there as long as they were seen."""
        with transaction.atomic():
            for dead in Process.objects.select_for_update().filter(FORGOTTEN):
                Connection.objects.current(dead.pk).update(until=dead.seen_at)
                dead.delete()

    @beside_pages
    def _register(self) -> None:
        self._create()

    def _create(self) -> None:
        Process.objects.create(
            id=self.process_id,
            host=socket.gethostname(),
            pid=os.getpid(),
            started_at=Now(),
            seen_at=Now(),
        )

    @beside_pages
    def _unregister(self) -> None:
        Connection.objects.current(self.process_id).update(until=Now())
        Process.objects.filter(pk=self.process_id).delete()

    # Hints

    def _offered(self, call: Call, number: int | None) -> None:
        if call.awaited and call.arbiter.phase is Phase.OFFERED:
            self._hint("offered", call.row.pk, round=number)

    def _claimed(self, call: Call) -> None:
        if call.row.notify_claimed and call.arbiter.phase is Phase.MOVING:
            self._hint("claimed", call.row.pk)

    def _claimed_elsewhere(self, broadcast_id: int) -> None:
        self._hint("look", broadcast_id)

    def _hint(self, about: str, broadcast_id: int | None = None, **more: int | None) -> None:
        if self.broker.alone:
            return
        message = {
            "type": "hint",
            "about": about,
            "broadcast": broadcast_id,
            "origin": str(self.process_id),
            **more,
        }
        task = asyncio.create_task(self._send(message))
        self._hints.add(task)
        task.add_done_callback(self._hints.discard)

    async def _send(self, message: dict[str, Any]) -> None:
        try:
            await self._layer.group_send(GROUP, message)
        except Exception as error:  # Any failure of any layer: the hint is lost, nothing else.
            log.warning("A hint to other processes was lost: %s", error)

    async def _listen(self) -> None:
        while True:
            try:
                channel = await self._layer.new_channel()
                await self._layer.group_add(GROUP, channel)
                while True:
                    await self._follow(await self._layer.receive(channel))
            except Exception as error:
                log.warning("Hints of other processes cannot be heard: %s", error)
                await asyncio.sleep(HEARTBEAT_SECONDS)

    async def _follow(self, message: dict[str, Any]) -> None:
        try:
            await self._take(message)
        except Exception as error:  # It costs nothing but this hint.
            log.warning("A hint of another process could not be followed: %s", in_a_line(error))

    async def _take(self, message: dict[str, Any]) -> None:
        if message.get("origin") == str(self.process_id):
            return
        match message.get("about"):
            case "presence":
                self._changed.set()
            case "offered":
                await self._offer(message["broadcast"], message["round"])
            case "claimed":
                await self._announce(message["broadcast"])
            case "look":
                self.broker.look_again(message["broadcast"])

    async def _offer(self, broadcast_id: int, number: int | None) -> None:
        """Offer another process's call to those that are connected here: a round's, or all."""
        which = {"failed_at": None} if number is None else {"round": number}
        row, names = await self._read(broadcast_id, **which)
        if row is not None and row.status == Status.OPEN:
            message = call_broadcast(row.channel, moment(time.time()), row.asterisk_id)
            self.broker.candidates.send(row.server_id, names, message)

    async def _announce(self, broadcast_id: int) -> None:
        row, names = await self._read(broadcast_id)
        if row is not None and row.winner:
            message = call_claimed(row.channel, row.winner, moment(time.time()), row.asterisk_id)
            self.broker.candidates.send(row.server_id, names, message)

    @beside_pages
    def _read(self, broadcast_id: int, **wanted: int | None) -> tuple[Broadcast | None, list[str]]:
        row = Broadcast.objects.filter(pk=broadcast_id).first()
        if row is None:
            return None, []
        return row, list(row.candidates.filter(**wanted).values_list("application", flat=True))
