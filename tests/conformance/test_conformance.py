"""The simulator says what a real Asterisk says, message by message."""

import os

import pytest
from ari_scenarios import SCENARIOS, Scenario
from compare_with_asterisk import differences

URL = os.environ.get("ASTERISK_URL", "")


@pytest.mark.skipif(not URL, reason="ASTERISK_URL names no real Asterisk to compare with")
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
async def test_simulator_and_asterisk_agree(scenario: Scenario) -> None:
    user = os.environ.get("ASTERISK_USERNAME", "ari")
    password = os.environ.get("ASTERISK_PASSWORD", "ari")
    assert await differences(scenario, URL, user, password) == []
