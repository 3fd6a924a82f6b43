"""Who is connected, and whom a filter admits."""

import pytest

from broadcasts.broker import Principal
from broadcasts.broker.candidates import Candidates
from broadcasts.domain.app_filter import FilterRefused
from broadcasts.domain.messages import Addressed

SERVER, OTHER = 1, 2


class Session:
    """Keeps what it is sent."""

    def __init__(self):
        self.principal = Principal("user")
        self.sent = []

    def send(self, text):
        self.sent.append(text)


@pytest.fixture
def news():
    return []


@pytest.fixture
def candidates(news):
    return Candidates(
        lambda server, name: news.append(("joined", name)),
        lambda server, name: news.append(("left", name)),
    )


def test_a_filter_admits_the_connected_applications_that_it_matches(candidates):
    for name in ("ivr-main", "ivr-2", "support"):
        candidates.join(SERVER, name, Session())
    assert candidates.admitted(SERVER, "^ivr-") == ("ivr-2", "ivr-main")


def test_an_application_is_a_candidate_only_for_servers_it_is_connected_to(candidates):
    candidates.join(OTHER, "ivr", Session())
    assert candidates.admitted(SERVER, "") == ()


def test_who_comes_later_is_admitted_to_the_next_call(candidates):
    assert candidates.admitted(SERVER, "") == ()
    candidates.join(SERVER, "ivr", Session())
    assert candidates.admitted(SERVER, "") == ("ivr",)


def test_who_has_left_is_not(candidates, news):
    session = Session()
    candidates.join(SERVER, "ivr", session)
    candidates.leave(SERVER, "ivr", session)
    assert candidates.admitted(SERVER, "") == ()
    assert news == [("joined", "ivr"), ("left", "ivr")]


def test_a_second_socket_takes_an_application_over(candidates):
    first, second = Session(), Session()
    candidates.join(SERVER, "ivr", first)
    assert candidates.join(SERVER, "ivr", second) is first
    candidates.leave(SERVER, "ivr", first)
    assert candidates.session(SERVER, "ivr") is second


def test_applications_at_other_processes_are_candidates_too(candidates):
    candidates.join(SERVER, "here", Session())
    candidates.set_elsewhere({SERVER: ["there", "here"]})
    assert candidates.admitted(SERVER, "") == ("here", "there")
    assert candidates.is_connected(SERVER, "there")


def test_who_leaves_another_process_is_told_unless_it_is_here_as_well():
    left = []
    candidates = Candidates(lambda *_: None, lambda *who: left.append(who))
    candidates.join(SERVER, "here", Session())
    candidates.set_elsewhere({SERVER: ["there", "here"]})
    candidates.set_elsewhere({})
    assert left == [(SERVER, "there")]


def test_a_message_reaches_those_who_are_here_and_names_those_who_are_not(candidates):
    session = Session()
    candidates.join(SERVER, 'odd "name"', session)
    message = Addressed({"type": "CallBroadcast"})
    assert candidates.send(SERVER, ['odd "name"', "there"], message) == ["there"]
    assert session.sent == ['{"type":"CallBroadcast","application":"odd \\"name\\""}']


def test_a_refused_filter_admits_nobody(candidates):
    candidates.join(SERVER, "ivr", Session())
    with pytest.raises(FilterRefused):
        candidates.admitted(SERVER, "(")


def test_every_change_is_told(candidates):
    told = []
    candidates.on_change.append(lambda: told.append(True))
    session = Session()
    candidates.join(SERVER, "ivr", session)
    candidates.leave(SERVER, "ivr", session)
    assert len(told) == 2
