"""The door toward candidate applications: ARI as Asterisk serves it, at /ari/."""

from .app import Facade
from .credentials import Credentials

__all__ = ["Credentials", "Facade"]
