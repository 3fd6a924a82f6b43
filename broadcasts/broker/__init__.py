"""The conductor: joins links, candidates, arbiters and the ledger."""

from .broker import Broker
from .ports import Link, LinkDown, Principal, Response, Server, Session

__all__ = ["Broker", "Link", "LinkDown", "Principal", "Response", "Server", "Session"]
