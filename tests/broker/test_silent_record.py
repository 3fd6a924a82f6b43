"""A record that answers nothing: neither yes nor no, as on a disk that has stopped."""

import pytest

from tests.service.cast import eventually

pytestmark = pytest.mark.django_db(transaction=True)


class SilentLedger:
    """Takes everything; nothing comes of it."""

    def submit(self, entry):
        self.last = entry


@pytest.fixture
def stage(stages, monkeypatch):
    monkeypatch.setattr("broadcasts.broker.call_record.RECORD_SECONDS", 0.1)
    return lambda: silenced(stages())


def silenced(stage):
    stage.broker.ledger = SilentLedger()
    return stage


@pytest.mark.parametrize("is_offered", [True, False])
async def test_no_caller_waits_for_it_without_end(stage, is_offered):
    stage = stage()
    if not is_offered:
        stage.broker.candidates.leave(stage.server.id, "ivr", stage.candidate)
    event = stage.link.started() | {"args": ["50"]}
    stage.broker.event(stage.link, event)
    sent_back = ("POST", f"channels/{stage.channel['id']}/continue")
    await eventually(lambda: sent_back in stage.link.asked)
    assert stage.candidate.offers == is_offered
    (call,) = stage.broker.calls_of(stage.server.id)
    call.broker.ledger.last.done("too late")
    assert stage.link.asked.count(sent_back) == 1
