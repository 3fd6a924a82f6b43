"""A simulated Asterisk with real sockets, and a sample candidate application."""

from .channel import Channel
from .outbound import OutboundSocket
from .server import SimulatedAsterisk

__all__ = ["Channel", "OutboundSocket", "SimulatedAsterisk"]
