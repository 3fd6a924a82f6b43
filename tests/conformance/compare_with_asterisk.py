"""Run one REST and WebSocket scenario on the simulator and on a real Asterisk, print differences.

    python tests/conformance/compare_with_asterisk.py http://127.0.0.1:8088 --user ari

The real one needs ARI enabled, an empty registry of applications, native StasisBroadcast for the
last scenarios, and the extensions of ``broadcasts/simulator/extensions.conf`` with
``dialplan/stasis-broadcast.conf`` included. Ids, times and the version are left out of the
comparison; everything else has to be equal. Prints nothing and exits with 0 when it is.
"""

from __future__ import annotations

import argparse
import asyncio
import difflib
import re
import sys
from pathlib import Path

from ari_observer import Asterisk
from ari_scenarios import SCENARIOS, Scenario

if __name__ == "__main__":  # run as a script, not imported by a test
    sys.path.insert(0, str(Path(__file__).parents[2]))

from broadcasts.simulator import SimulatedAsterisk

MASKS = [
    (r"\d{10}\.\d+", "ID"),
    (r"\d{4}-\d\d-\d\dT[\d:.]+\+0000", "TIME"),
    (r"(Local/\w+@\w+)-[0-9a-f]{8}", r"\1-NAME"),
    (r'("(?:asterisk_id|entity_id)\\?": ?\\?")[0-9a-f:]{17}', r"\1EID"),
]


def masked(line: str) -> str:
    """The line without what no two Asterisks share."""
    for pattern, mask in MASKS:
        line = re.sub(pattern, mask, line)
    return line


async def observe(scenario: Scenario, url: str, user: str, password: str) -> list[str]:
    """What this Asterisk answered and sent, in order, one line each."""
    async with Asterisk(url, user, password) as asterisk:
        try:
            await scenario(asterisk)
        except TimeoutError:
            asterisk.note("a message that should have come did not")
        await asterisk.hang_up_all()
        return [masked(line) for line in asterisk.log]


async def differences(scenario: Scenario, url: str, user: str, password: str) -> list[str]:
    """Where the simulator (-) and the real Asterisk (+) part."""
    async with SimulatedAsterisk(native_broadcast=True) as simulated:
        expected = await observe(scenario, simulated.url, "ari", "ari")
    found = await observe(scenario, url, user, password)
    return list(difflib.unified_diff(expected, found, "simulated", "real", n=0, lineterm=""))


async def main() -> int:
    parser = argparse.ArgumentParser(description="Compare the simulator with a real Asterisk.")
    parser.add_argument("url", help="of the real one, such as http://127.0.0.1:8088")
    parser.add_argument("--user", default="ari")
    parser.add_argument("--password", default="ari")
    options = parser.parse_args()
    differ = False
    for scenario in SCENARIOS:
        lines = await differences(scenario, options.url, options.user, options.password)
        differ = differ or bool(lines)
        if lines:
            print(scenario.__name__, *lines, sep="\n")
    return int(differ)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
