"""What a process remembers of the chain, lest somebody takes it back while it seals.

Whoever can write to the database can put the end of the chain back to an earlier seal, and what was
sealed since then would be sealed anew, whatever it has been made into. Who has seen the chain
further on knows better.
"""

from broadcasts.domain.seal import BEGINNING
from broadcasts.models import RetentionNote, Seal

from .chain import Broken, head
from .retention import is_genuine
from .sealing import Look, look


class Watch:
    """Seals on behalf of one process."""

    def __init__(self) -> None:
        self._number, self._chain = 0, BEGINNING

    def look(self) -> Look:
        """Seal what can be sealed, as `sealing.look` does, if the chain still is what it was.

        Raises Broken, also each time after that.
        """
        if self._number and not self._holds():
            raise Broken(
                f"the chain is not what it was at seal {self._number}: it was forged, or the "
                "database was put back. Nothing is sealed until the service is started again"
            )
        done, end = look(), head()
        self._number, self._chain = end.number, bytes(end.chain)
        return done

    def _holds(self) -> bool:
        seal = Seal.objects.filter(number=self._number).first()
        if seal:
            return bytes(seal.chain) == self._chain
        notes = RetentionNote.objects.filter(first__lte=self._number, through__gte=self._number)
        return any(map(is_genuine, notes))
