"""People's pages, and who may see them."""

import re
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse
from django.urls.converters import UUIDConverter

from broadcasts.web.middleware import POLICY
from broadcasts.web.saved_views import PageConverter
from broadcasts.web.urls import urlpatterns
from tests.builders import make_member, make_user

pytestmark = pytest.mark.django_db

# What anonymous visitors from elsewhere are answered; every other address of ours sends them to
# the sign-in.
OPEN_TO_ALL = {"sign_in": 200, "healthz": 200, "readyz": 503, "metrics": 403, "sign_out": 405}

# What stands in an address for what it takes; 1 for all else.
EXAMPLES = {UUIDConverter: UUID(int=1), PageConverter: "reports"}


def example(pattern):
    """Return an address of a pattern."""
    keys = [EXAMPLES.get(type(one), 1) for one in pattern.pattern.converters.values()]
    return reverse(f"web:{pattern.name}", args=keys)


@pytest.mark.parametrize("pattern", urlpatterns, ids=lambda pattern: pattern.name)
def test_who_is_not_signed_in_is_turned_away(client, pattern):
    name, response = pattern.name, client.get(example(pattern), REMOTE_ADDR="192.0.2.1")
    if name in OPEN_TO_ALL:
        assert response.status_code == OPEN_TO_ALL[name]
    else:
        assert response.status_code == 302
        assert response["Location"].startswith(reverse("web:sign_in"))


def test_who_is_signed_in_sees_the_board_and_no_admin(client):
    client.force_login(make_member(name="olga"))
    page = client.get("/").content.decode()
    assert "Live board" in page
    assert "olga" in page
    assert reverse("admin:index") not in page


def test_staff_find_the_admin(client):
    client.force_login(make_member(is_staff=True))
    assert f'href="{reverse("admin:index")}"' in client.get("/").content.decode()


def test_signing_out_leads_back_to_the_sign_in(client):
    client.force_login(make_member())
    assert client.post(reverse("web:sign_out")).status_code == 302
    assert client.get("/").status_code == 302


def test_signing_out_takes_a_post(client):
    client.force_login(make_member())
    assert client.get(reverse("web:sign_out")).status_code == 405


def test_our_pages_allow_nothing_from_elsewhere_and_nothing_inline(client):
    client.force_login(make_member())
    response = client.get("/")
    assert response["Content-Security-Policy"] == POLICY
    assert "unsafe-inline" not in POLICY
    page = response.content.decode()
    assert "<style" not in page
    assert " style=" not in page
    assert page.count("<script") == page.count('<script type="module" src="/static/web/')


def test_the_admin_keeps_its_inline_scripts(client):
    client.force_login(make_member(is_staff=True))
    response = client.get(reverse("admin:index"))
    assert response.status_code == 200
    assert "Content-Security-Policy" not in response


def test_an_unknown_address_is_answered_within_the_frame(client):
    response = client.get("/nowhere")
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()
    assert response["Content-Security-Policy"] == POLICY


@pytest.mark.parametrize(
    ("role", "offered"),
    [(None, "sign_in"), ("", None), ("operator", "live_board")],
    ids=["anonymous", "no role", "operator"],
)
def test_an_error_offers_what_its_reader_may_open(client, role, offered):
    if role is not None:
        client.force_login(make_member(role) if role else make_user("olga"))
    page = client.get("/nowhere").content.decode()
    links = re.findall(r'<a class="button" href="([^"]*)"', page)
    assert links == ([reverse(f"web:{offered}")] if offered else [])
    assert ('href="/"' in page) == (role != "")


def test_a_failing_page_is_answered_within_the_frame(client, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("a secret detail")

    client.force_login(make_member())
    client.raise_request_exception = False
    monkeypatch.setattr("broadcasts.web.views.render", fail)
    response = client.get("/")
    assert response.status_code == 500
    assert "Something went wrong on our side" in response.content.decode()
    assert "secret" not in response.content.decode()
    assert response["Content-Security-Policy"] == POLICY


def test_a_request_for_another_host_is_answered_within_the_frame(client):
    response = client.get("/", HTTP_HOST="elsewhere.example")
    assert response.status_code == 400
    assert "could not be understood" in response.content.decode()


def test_a_form_without_its_token_is_refused_within_the_frame():
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_member())
    response = client.post(reverse("web:sign_out"))
    assert response.status_code == 403
    assert "This form has expired" in response.content.decode()


@pytest.mark.parametrize(
    "name",
    [
        *("base.css", "parts.css", "forms.css", "board.css", "record.css", "history.css"),
        *("broadcast.css", "saved_filters.css"),
        *("exports.css", "export_progress.js"),
        *("board.js", "live_socket.js", "zone.js", "history.js", "mark.svg"),
    ],
)
def test_static_files_are_served_without_collecting_them(client, name):
    response = client.get(f"/static/web/{name}")
    assert response.status_code == 200
    assert b"".join(response.streaming_content)


def test_who_may_not_see_the_record_is_told_so_within_the_frame(client):
    client.force_login(make_user())
    response = client.get("/")
    assert response.status_code == 403
    assert "You may not see this" in response.content.decode()
