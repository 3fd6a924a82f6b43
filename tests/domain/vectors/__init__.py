"""What native StasisBroadcast makes of filters and timeouts: recorded from its guard and glibc.

`delivered` holds positions in `names`; `refused_by` says who turned a filter down.
"""

import json
from pathlib import Path

RECORDED = json.loads(Path(__file__).with_name("filters_and_timeouts.json").read_text("utf-8"))
