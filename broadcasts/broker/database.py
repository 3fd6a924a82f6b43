"""Work on the database that calls wait for."""

from functools import partial

from channels.db import database_sync_to_async
from django.db import DatabaseError, InterfaceError

# Whatever may be wrong with the database or the way to it; it passes.
OUTAGE = (DatabaseError, InterfaceError)

# People's pages take turns on one thread: a slow one would hold up a heartbeat, or an offer.
beside_pages = partial(database_sync_to_async, thread_sensitive=False)
