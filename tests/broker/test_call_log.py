"""What the log says of calls."""

from types import SimpleNamespace

import pytest

from broadcasts.broker.call_log import log_outcome, log_winner
from broadcasts.models import Broadcast

ROW = {
    "channel_name": "Local/+15550100@trunk-00000001;2",
    "caller_number": "+15550100",
    "caller_name": "Example Caller",
    "called": "600",
    "status": "timed_out",
    "reason": "+15550100, Example Caller, was not wanted",
}
ARBITRATED = SimpleNamespace(candidates=("ivr", "sales"), winner="ivr")


@pytest.mark.parametrize("line", [log_winner, log_outcome])
def test_no_line_tells_who_calls(line, caplog):
    caplog.set_level("INFO")
    line(Broadcast(**ROW), ARBITRATED)
    assert "Local/•••0100@trunk-00000001;2 → 600: offered to ivr, sales; " in caplog.text
    assert "5550100" not in caplog.text
    assert "Example Caller" not in caplog.text


def test_a_line_says_what_became_of_the_call(caplog):
    caplog.set_level("INFO")
    log_outcome(Broadcast(**ROW), ARBITRATED)
    assert "timed out (•••0100, E•••, was not wanted)" in caplog.text
