"""The tools: pages that try the configuration out, and that carry it in and out."""

from .tools_exchange import exchange_view, export_view
from .tools_replay import replay_view, slice_view
from .tools_tester import tester_view
from .tools_try import try_view

# The views by the names of their addresses.
TOOLS = {
    "try_it": try_view,
    "rule_tester": tester_view,
    "replay": replay_view,
    "replay_slice": slice_view,
    "exchange": exchange_view,
    "export": export_view,
}
