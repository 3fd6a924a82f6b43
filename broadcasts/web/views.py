"""People's pages."""

from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from broadcasts.access import MAY_SEE_RECORD
from broadcasts.domain.lifecycle import Status

TILES = [
    (Status.OPEN, "Offered now"),
    (Status.CLAIMED, "Claimed"),
    (Status.TIMED_OUT, "Timed out"),
    (Status.ABANDONED, "Abandoned"),
    (Status.NO_CANDIDATES, "No candidates"),
    (Status.FAILED, "Failed"),
]


@require_safe
@login_required
@permission_required(MAY_SEE_RECORD, raise_exception=True)
def live_board(request: HttpRequest) -> HttpResponse:
    """The frame of the live board; its socket fills it."""
    return render(request, "web/board.html", {"tiles": TILES})
