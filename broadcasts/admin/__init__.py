"""The admin: everything that decides how calls are broadcast, who changed it, and the record.

The record, and who has looked at it, are read-only for everybody. Configuration keeps a history of
its changes, each with an optional reason; what a role may do is in `broadcasts.models.people`.
"""

from . import ari_users, defaults, people, presets, proof, record, rules, servers

__all__ = ["ari_users", "defaults", "people", "presets", "proof", "record", "rules", "servers"]
