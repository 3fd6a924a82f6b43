"""Which Asterisk holds which channel, as far as it was seen: only needed when there are several."""

from collections import OrderedDict
from urllib.parse import unquote

from broadcasts.broker.broker import Broker
from broadcasts.broker.ports import Server

REMEMBERED = 20_000


class Holders:
    """Finds the server that a request is meant for."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._servers: OrderedDict[str, int] = OrderedDict()

    def learn(self, channel_id: str, server_id: int) -> None:
        """Note that a server has a channel."""
        self._servers[channel_id] = server_id
        if len(self._servers) > REMEMBERED:
            self._servers.popitem(last=False)

    def holder(self, path: str) -> Server | None:
        """Return the server of the channel that a path such as ``channels/ID/answer`` names.

        None when it names none, or one that was not seen.
        """
        resource, _, rest = path.partition("/")
        if resource != "channels" or not rest:
            return None
        channel_id = unquote(rest.partition("/")[0])
        known = self._servers.get(channel_id)
        if known in self._broker.servers:
            return self._broker.servers[known]
        for server in self._broker.servers.values():
            if self._broker.call_of(server.id, channel_id):
                return server
        return None

    def server_for(self, path: str) -> Server | None:
        """Return the server that a request goes to: the holder, or else the first, if any."""
        servers = self._broker.servers
        if len(servers) > 1:
            holder = self.holder(path)
            if holder:
                return holder
        return next(iter(servers.values()), None)
