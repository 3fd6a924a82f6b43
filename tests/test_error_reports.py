"""What an error leaves behind: where it failed, and never a secret or a value of a row."""

import logging
from uuid import uuid4

import pytest
from django.core import mail
from django.db import DatabaseError, IntegrityError
from django.test import Client
from django.urls import reverse
from django.utils.log import AdminEmailHandler

from broadcast_project.error_reports import Lines
from broadcasts.admin import ari_users
from broadcasts.admin.people import UserAdmin
from broadcasts.domain.errors import in_a_line
from broadcasts.models import AsteriskServer
from tests.admin.cast import configured, visitor

pytestmark = pytest.mark.django_db

# A report shows the lines around the one that failed: these, too.
SECRET = uuid4().hex


def fail(*_, **__):
    raise RuntimeError("the disk is full")


def server_password(monkeypatch) -> tuple[Client, str, dict[str, str]]:
    monkeypatch.setattr(AsteriskServer, "save", fail)
    address = reverse("admin:broadcasts_asteriskserver_add")
    values = {"kind": "dial_in", "name": "new", "url": "http://pbx:8088", "username": "u"}
    values |= {"application": "broadcast", "new_password": SECRET}
    values |= {"defaults-TOTAL_FORMS": "0", "defaults-INITIAL_FORMS": "0"}
    return visitor("admin"), address, values


def candidate_secret(monkeypatch) -> tuple[Client, str, dict[str, str]]:
    monkeypatch.setattr(ari_users.secrets, "token_urlsafe", lambda _: SECRET)
    monkeypatch.setattr(ari_users, "render", fail)
    return visitor("admin"), reverse("admin:broadcasts_ariuser_add"), {"name": "sales"}


def persons_password(monkeypatch) -> tuple[Client, str, dict[str, str]]:
    monkeypatch.setattr(UserAdmin, "save_model", fail)
    passwords = {"password1": SECRET, "password2": SECRET}
    return visitor("admin"), reverse("admin:auth_user_add"), {"username": "bob", **passwords}


def sign_in(monkeypatch) -> tuple[Client, str, dict[str, str]]:
    monkeypatch.setattr("django.contrib.auth.forms.authenticate", fail)
    return Client(), reverse("web:sign_in"), {"username": "olga", "password": SECRET}


FAILURES = [server_password, candidate_secret, persons_password, sign_in]


@pytest.fixture(params=FAILURES, ids=lambda failure: failure.__name__)
def failing(request, monkeypatch):
    """Return a function that makes a request which fails with a secret at hand."""
    configured()

    def fails():
        client, address, values = request.param(monkeypatch)
        client.raise_request_exception = False
        answer = client.post(address, values)
        assert answer.status_code == 500
        return answer

    return fails


def test_the_log_tells_where_it_failed_and_no_secret(failing, caplog):
    page = failing().content.decode()
    assert "the disk is full" in caplog.text
    assert SECRET not in caplog.text
    assert SECRET not in page


def test_a_mailed_report_holds_no_secret(failing, settings):
    settings.ADMINS = [("admin", "admin@localhost")]
    handler = AdminEmailHandler(include_html=True)
    logging.getLogger("django.request").addHandler(handler)
    try:
        failing()
    finally:
        logging.getLogger("django.request").removeHandler(handler)
    report = mail.outbox[0].message().as_string() + mail.outbox[0].alternatives[0][0]
    assert "the disk is full" in report
    assert SECRET not in report


def test_a_page_for_developers_holds_no_secret(failing, settings):
    settings.DEBUG = True
    settings.REDIS_URL = f"redis://:{SECRET}@redis:6379"
    settings.CHANNEL_LAYERS = {"default": {"CONFIG": {"hosts": [settings.REDIS_URL]}}}
    page = failing().content.decode()
    assert "the disk is full" in page
    assert SECRET not in page


# A report shows the lines around, these among them.
NUMBER = f"+{uuid4().int % 10**15:015d}"


def of_a_row() -> Exception:
    """Return an error as PostgreSQL tells it, its row and all, that another error has caused."""
    try:
        try:
            raise DatabaseError(
                f"it is there already\nDETAIL:  Key (x)=({NUMBER}\n{NUMBER}) exists."
            )
        except DatabaseError as cause:
            raise IntegrityError(*cause.args) from cause
    except IntegrityError as error:
        return error


def test_an_error_in_a_line_tells_no_row():
    assert in_a_line(of_a_row()) == "it is there already"
    assert in_a_line(OSError("\n no disk\n")) == "no disk"
    assert in_a_line(OSError()) == ""


def test_a_traceback_in_the_log_tells_no_row():
    error = of_a_row()
    told = Lines("{message}", style="{").format(
        logging.LogRecord("x", logging.ERROR, "x.py", 1, "failed", (), (type(error), error, None))
    )
    assert told.count("it is there already") == 2
    assert "direct cause" in told
    assert NUMBER not in told


@pytest.mark.parametrize("debug", [False, True])
def test_a_report_tells_no_row_and_nothing_that_an_address_asks_for(monkeypatch, settings, debug):
    def broken(*_, **__):
        raise of_a_row()

    monkeypatch.setattr("broadcasts.web.history_views.shown", broken)
    settings.ADMINS, settings.DEBUG = [("admin", "admin@localhost")], debug
    client = visitor("admin")
    client.raise_request_exception = False
    handler = AdminEmailHandler(include_html=True)
    logging.getLogger("django.request").addHandler(handler)
    try:
        page = client.get(reverse("web:history"), {"caller": NUMBER}).content.decode()
    finally:
        logging.getLogger("django.request").removeHandler(handler)
    report = mail.outbox[0].message().as_string() + mail.outbox[0].alternatives[0][0]
    assert "it is there already" in report
    for told in (page, report):
        assert NUMBER[1:] not in told
