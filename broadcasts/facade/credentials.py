"""Who a candidate is: its secret is hashed slowly once, and remembered by a fast keyed hash."""

import asyncio
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeVar

from django.contrib.auth.hashers import check_password, make_password
from django.db import connection
from django.utils import timezone

from broadcasts.broker.ports import Principal
from broadcasts.models import AriUser

# How many accepted and refused credentials are remembered.
REMEMBERED = 4096
# How long a refusal is remembered, so that repeating it costs nothing.
WRONG_SECONDS = 15.0
# How many different credentials may wait for the slow hash, which takes one at a time.
WAITING = 64

T = TypeVar("T")


class Refusal(Enum):
    """Why nobody is signed in."""

    WRONG = auto()
    BUSY = auto()


@dataclass(frozen=True, slots=True)
class _User:
    principal: Principal
    password_hash: str


class Credentials:
    """The enabled ARI users. All but `load_rows` is used on the event loop's thread."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._users: dict[str, _User] = {}
        self._accepted: OrderedDict[bytes, _User] = OrderedDict()
        self._wrong: OrderedDict[bytes, float] = OrderedDict()
        self._checks: dict[bytes, asyncio.Task[Principal | Refusal]] = {}
        self._used: set[str] = set()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="credentials")

    def load(self, rows: Iterable[AriUser]) -> None:
        """Take the users as they are now; what changed has to be checked again."""
        self._users = {row.name: _user(row) for row in rows if row.enabled}
        for digest, user in list(self._accepted.items()):
            if self._users.get(user.principal.name) != user:
                del self._accepted[digest]
        self._wrong.clear()

    def known(self, credential: bytes) -> Principal | Refusal | None:
        """Return what is remembered of ``user:password``, or None when it has to be checked."""
        digest = self._digest(credential)
        user = self._accepted.get(digest)
        if user:
            self._accepted.move_to_end(digest)
            self._used.add(user.principal.name)
            return user.principal
        if digest in self._wrong and time.monotonic() < self._wrong[digest]:
            return Refusal.WRONG
        return None

    async def check(self, credential: bytes) -> Principal | Refusal:
        """Check ``user:password`` with the slow hash, in a thread; all who ask at once share it."""
        digest = self._digest(credential)
        check = self._checks.get(digest)
        if check is None:
            if len(self._checks) >= WAITING:
                return Refusal.BUSY
            check = asyncio.create_task(self._check(digest, credential))
            self._checks[digest] = check
            check.add_done_callback(lambda _: self._checks.pop(digest))
        return await asyncio.shield(check)

    def is_current(self, principal: Principal) -> bool:
        """Whether a principal signed in earlier still stands, with the same rights."""
        user = self._users.get(principal.name)
        return user is not None and user.principal == principal

    async def save_use(self) -> None:
        """Note in the database who was here since the last time."""
        used, self._used = self._used, set()
        if used:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._worker, _save_use, used)

    def close(self) -> None:
        """End the worker thread."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _digest(self, credential: bytes) -> bytes:
        return hmac.digest(self._key, credential, "sha256")

    async def _check(self, digest: bytes, credential: bytes) -> Principal | Refusal:
        name, _, password = _text(credential).partition(":")
        user = self._users.get(name)
        loop = asyncio.get_running_loop()
        if not await loop.run_in_executor(self._worker, _matches, user, password):
            remember(self._wrong, digest, time.monotonic() + WRONG_SECONDS)
            return Refusal.WRONG
        assert user is not None
        if self._users.get(name) != user:  # changed in the meantime
            return Refusal.WRONG
        remember(self._accepted, digest, user)
        self._used.add(name)
        return user.principal


def load_rows() -> list[AriUser]:
    """Read the users, in the calling thread."""
    return list(AriUser.objects.filter(enabled=True))


def remember(memory: OrderedDict[bytes, T], digest: bytes, value: T) -> None:
    """Keep a value, at the cost of the one that was not used for longest."""
    memory[digest] = value
    if len(memory) > REMEMBERED:
        memory.popitem(last=False)


def _user(row: AriUser) -> _User:
    return _User(Principal(row.name, row.applications, row.read_only), row.password_hash)


def _text(credential: bytes) -> str:
    """Basic credentials name no encoding: UTF-8, or what older clients send, Latin-1."""
    try:
        return credential.decode()
    except UnicodeDecodeError:
        return credential.decode("latin-1")


def _matches(user: _User | None, password: str) -> bool:
    if user is None:
        make_password(password)  # takes as long as a check, so that names cannot be found out
        return False
    return check_password(password, user.password_hash)


def _save_use(names: set[str]) -> None:
    try:
        AriUser.objects.filter(name__in=names).update(last_used_at=timezone.now())
    finally:
        connection.close()
