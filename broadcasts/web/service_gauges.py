"""The running service's state as gauges, read when they are asked for.

Every process reports what it holds itself, so the processes of one service add up; but how far
sealing lags is read from their database, so it is the same in each.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from broadcasts.domain.arbiter import Phase


class ServiceGauges(Collector):
    """Gauges of one running service; to be collected on its event loop."""

    def __init__(self, service: Any) -> None:
        self._broker = service.broker
        self._ledger = service.ledger

    def describe(self) -> list[GaugeMetricFamily]:
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        servers = self._broker.servers.values()
        connected = Counter(server_id for server_id, _, _ in self._broker.candidates.here())
        yield per_server(
            "stasis_broadcast_live_calls",
            "Calls that wait for a winner or are with one.",
            {server.name: self._live_calls(server.id) for server in servers},
        )
        yield per_server(
            "stasis_broadcast_connected_candidates",
            "Candidate applications connected to this process.",
            {server.name: connected[server.id] for server in servers},
        )
        yield per_server(
            "stasis_broadcast_link_up",
            "1 while this process holds the link to a server.",
            {server.name: server.id in self._broker.links for server in servers},
        )
        yield GaugeMetricFamily(
            "stasis_broadcast_ledger_backlog",
            "Entries that wait for their commit.",
            value=self._ledger.backlog,
        )
        yield GaugeMetricFamily(
            "stasis_broadcast_ledger_owed",
            "Entries that the database refused and will be offered again.",
            value=self._ledger.owed,
        )

    def _live_calls(self, server_id: int) -> int:
        calls = self._broker.calls_of(server_id)
        return sum(call.arbiter.phase is not Phase.GONE for call in calls)


class SealingGauge(Collector):
    """How many seconds sealing lags, if that is known."""

    def __init__(self, lag: float | None) -> None:
        self._lag = lag

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield GaugeMetricFamily(
            "stasis_broadcast_sealing_lag_seconds",
            "Since when the oldest record that waits for its seal could have had it; 0 if none "
            "waits.",
            value=self._lag,
        )


def per_server(name: str, documentation: str, values: dict[str, float]) -> GaugeMetricFamily:
    """Return a gauge with one value per server."""
    family = GaugeMetricFamily(name, documentation, labels=["server"])
    for server, value in values.items():
        family.add_metric([server], value)
    return family
