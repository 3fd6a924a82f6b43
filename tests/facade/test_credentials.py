"""A secret is checked slowly once, remembered, and forgotten when its user changes."""

import asyncio
import threading

import pytest
from django.contrib.auth import hashers

from broadcasts.broker import Principal
from broadcasts.facade import Credentials, credentials
from broadcasts.facade.credentials import Refusal
from broadcasts.models import AriUser, Revision

from .cast import user

GOOD = b"ivr:secret"


@pytest.fixture
def users() -> list[AriUser]:
    return [user(applications="^ivr-"), user("gone", enabled=False)]


@pytest.fixture
def hashed(monkeypatch) -> list[str]:
    """The passwords that were hashed, for users that exist and for others."""
    passwords: list[str] = []

    def check(password, encoded):
        passwords.append(password)
        return hashers.check_password(password, encoded)

    monkeypatch.setattr(credentials, "check_password", check)
    monkeypatch.setattr(credentials, "make_password", passwords.append)
    return passwords


async def test_a_good_secret_is_hashed_once(credentials, hashed):
    assert credentials.known(GOOD) is None
    expected = Principal("ivr", "^ivr-", read_only=False)
    assert await credentials.check(GOOD) == expected
    assert credentials.known(GOOD) == expected
    assert hashed == ["secret"]


async def test_a_wrong_secret_is_hashed_once_too(credentials, hashed):
    assert await credentials.check(b"ivr:wrong") is Refusal.WRONG
    assert credentials.known(b"ivr:wrong") is Refusal.WRONG
    assert hashed == ["wrong"]


async def test_a_refusal_is_not_remembered_for_long(credentials, monkeypatch):
    await credentials.check(b"ivr:wrong")
    monkeypatch.setattr("broadcasts.facade.credentials.time.monotonic", lambda: float("inf"))
    assert credentials.known(b"ivr:wrong") is None


@pytest.mark.parametrize("credential", [b"nobody:x", b"gone:secret"])
async def test_an_unknown_or_disabled_user_costs_as_much_as_a_wrong_secret(
    credentials, hashed, credential
):
    assert await credentials.check(credential) is Refusal.WRONG
    assert len(hashed) == 1


async def test_all_who_ask_at_once_share_one_hash(credentials, hashed):
    answers = await asyncio.gather(*(credentials.check(GOOD) for _ in range(200)))
    assert {answer.name for answer in answers} == {"ivr"}
    assert hashed == ["secret"]


async def test_a_flood_of_wrong_secrets_hashes_one_at_a_time_and_never_queues_for_long(
    credentials, monkeypatch
):
    running = threading.Semaphore(1)

    def check(password, encoded):
        assert running.acquire(blocking=False)
        release.wait()
        running.release()
        return False

    release = threading.Event()
    monkeypatch.setattr("broadcasts.facade.credentials.check_password", check)
    flood = [asyncio.create_task(credentials.check(b"ivr:%d" % number)) for number in range(500)]
    await asyncio.wait(flood, return_when=asyncio.FIRST_COMPLETED)
    release.set()
    answers = await asyncio.gather(*flood)
    assert answers.count(Refusal.WRONG) == 64
    assert answers.count(Refusal.BUSY) == 500 - 64


async def test_one_who_gives_up_does_not_end_the_check_for_others(credentials):
    first = asyncio.create_task(credentials.check(GOOD))
    second = asyncio.create_task(credentials.check(GOOD))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).name == "ivr"


async def test_what_is_remembered_is_bounded(credentials, monkeypatch):
    monkeypatch.setattr("broadcasts.facade.credentials.REMEMBERED", 2)
    for password in (b"a", b"b", b"c"):
        await credentials.check(b"ivr:" + password)
    assert credentials.known(b"ivr:a") is None
    assert credentials.known(b"ivr:c") is Refusal.WRONG


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [user(enabled=False)],
        [user(password="other")],
        [user(applications="^other-")],
        [user(read_only=True)],
    ],
    ids=["deleted", "disabled", "password", "pattern", "rights"],
)
async def test_a_changed_user_is_checked_again(credentials, rows):
    await credentials.check(GOOD)
    credentials.load(rows)
    assert credentials.known(GOOD) is None


async def test_an_unchanged_user_stays_signed_in_when_others_change(credentials, users):
    await credentials.check(GOOD)
    credentials.load([*users, user("another")])
    assert credentials.known(GOOD).name == "ivr"


async def test_a_refusal_is_forgotten_when_the_users_change(credentials, users):
    await credentials.check(b"another:secret")
    credentials.load([*users, user("another")])
    assert (await credentials.check(b"another:secret")).name == "another"


async def test_a_user_that_changes_during_its_check_is_not_signed_in(credentials, monkeypatch):
    def check(password, encoded):
        loop.call_soon_threadsafe(credentials.load, [])
        return True

    loop = asyncio.get_running_loop()
    monkeypatch.setattr("broadcasts.facade.credentials.check_password", check)
    assert await credentials.check(GOOD) is Refusal.WRONG
    assert credentials.known(GOOD) is None


async def test_a_principal_is_current_while_its_rights_stay_the_same(credentials):
    principal = await credentials.check(GOOD)
    assert credentials.is_current(principal)
    credentials.load([user(applications="^other-")])
    assert not credentials.is_current(principal)
    credentials.load([])
    assert not credentials.is_current(principal)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
async def test_a_secret_may_be_sent_in_both_encodings_that_clients_use(credentials, encoding):
    credentials.load([user(password="größe")])
    assert (await credentials.check("ivr:größe".encode(encoding))).name == "ivr"


async def test_a_secret_may_hold_a_colon(credentials):
    credentials.load([user(password="a:b")])
    assert (await credentials.check(b"ivr:a:b")).name == "ivr"


@pytest.mark.django_db(transaction=True)
async def test_when_a_user_was_last_here_is_saved_without_counting_as_a_change():
    await asyncio.to_thread(user().save)
    await asyncio.to_thread(user("idle").save)
    before = await asyncio.to_thread(Revision.current)
    credentials = Credentials()
    credentials.load(await asyncio.to_thread(load_rows))
    await credentials.check(GOOD)
    await credentials.save_use()
    credentials.close()
    used = [row async for row in AriUser.objects.filter(last_used_at__isnull=False)]
    assert [row.name for row in used] == ["ivr"]
    assert await asyncio.to_thread(Revision.current) == before


load_rows = credentials.load_rows
