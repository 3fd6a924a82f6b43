import pytest
from django.core.exceptions import ValidationError
from pytest_django import Settings

from broadcasts.environment import server_from_environment
from broadcasts.models import AsteriskServer, Revision

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def environment(settings: Settings) -> None:
    settings.ARI_URL = "http://127.0.0.1:8088"
    settings.ARI_USERNAME = "ari"
    settings.ARI_PASSWORD = "s3cret"
    settings.ARI_APP = "broadcast"


def test_nothing_is_made_without_an_address(settings: Settings) -> None:
    settings.ARI_URL = ""
    assert server_from_environment() is None
    assert not AsteriskServer.objects.exists()


def test_the_environment_names_a_dial_in_server() -> None:
    server_from_environment()
    server = AsteriskServer.objects.get(name="default")
    assert (server.kind, server.url) == ("dial_in", "http://127.0.0.1:8088")
    assert (server.username, server.password, server.application) == ("ari", "s3cret", "broadcast")


def test_a_restart_is_no_change() -> None:
    server_from_environment()
    before = Revision.current()
    server_from_environment()
    assert Revision.current() == before


def test_a_changed_environment_is_a_change(settings: Settings) -> None:
    server_from_environment()
    before = Revision.current()
    settings.ARI_PASSWORD = "new"
    server_from_environment()
    assert Revision.current() > before
    assert AsteriskServer.objects.get().password == "new"


def test_a_server_that_was_switched_off_stays_off() -> None:
    server_from_environment()
    AsteriskServer.objects.update(enabled=False)
    server_from_environment()
    assert not AsteriskServer.objects.get().enabled


def test_an_address_that_cannot_be_used_is_refused(settings: Settings) -> None:
    settings.ARI_URL = "127.0.0.1"
    with pytest.raises(ValidationError):
        server_from_environment()
