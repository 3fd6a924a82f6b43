"""Where the package of a schedule goes: to people by mail, or into the folder of reports."""

import json
import os
import shutil
import time
from email.utils import getaddresses, parseaddr
from pathlib import Path
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify

from broadcasts.models import Export, Schedule

from .making import Made
from .package import MANIFEST
from .tables import ExportRefused, zone_of

MOST_ATTACHED = 10 * 1024 * 1024
# Seconds before each further try to send.
PAUSES = (2.0, 10.0, 30.0)


def deliver(export: Export, package: Path, made: Made) -> None:
    """Bring an export to where its schedule wants it; one that has none waits to be fetched.

    Raises ExportRefused, which says why it could not be brought there; OSError of the folder.
    """
    schedule = export.schedule
    if schedule is None:
        return
    if schedule.delivery == Schedule.Delivery.FOLDER:
        put(file_name(export), package)
    else:
        send(message(export, package, made))
    Schedule.objects.filter(pk=schedule.pk).update(last_error="")


def file_name(export: Export) -> str:
    """Return a name that is one on every system and that says what it is, and when it was made."""
    made_at = (export.started_at or timezone.now()).astimezone(zone_of(export))
    called = export.schedule.name if export.schedule else export.kind
    number = f"-{export.schedule.pk}" if export.schedule else ""
    return f"{slugify(called)[:60] or 'report'}{number}-{made_at:%Y-%m-%dT%H%M%S}.zip"


def put(name: str, package: Path) -> None:
    """Write a package into the folder of reports; it appears there only when it is whole."""
    folder = Path(settings.REPORTS_DIR)
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    part = folder / f".{name}.{os.getpid()}.part"
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o640), "wb") as out:
            with package.open("rb") as made:
                shutil.copyfileobj(made, out)
            out.flush()
            os.fsync(out.fileno())
        part.replace(folder / name)
    finally:
        part.unlink(missing_ok=True)


def recipients(text: str) -> list[str]:
    """Return the addresses in a list that is separated by commas."""
    return [address for _, address in getaddresses([text]) if address]


def message(export: Export, package: Path, made: Made) -> EmailMessage:
    """Return the mail: with the package, or where it is too large, with where to fetch it."""
    assert export.schedule
    attached = made.size <= MOST_ATTACHED
    lines = [
        f"{export.schedule.name}: {made.manifest['what']}, {made.manifest['filter']['in_words']}.",
        f"{made.rows:,} rows, numbers {made.manifest['numbers']}, times in {export.zone}.",
        f"SHA-256 of the package: {made.sha256}",
        "" if attached else f"It is too large for a mail. Fetch it at {address_of(export)}",
    ]
    mail = EmailMessage(
        f"Stasis Broadcast: {export.schedule.name}",
        "\n".join(filter(None, lines)) + "\n",
        to=recipients(export.schedule.recipients),
        headers={"Message-ID": message_id(export)},
    )
    if attached:
        mail.attach(file_name(export), package.read_bytes(), "application/zip")
    else:
        mail.attach(MANIFEST, json.dumps(made.manifest, indent=2), "application/json")
    return mail


def message_id(export: Export) -> str:
    """Return what is the same however often an export is mailed, so that mail systems can tell."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<export-{export.pk}@{domain}>"


def address_of(export: Export) -> str:
    """Return where people find an export."""
    return settings.PUBLIC_URL.rstrip("/") + reverse("web:export", args=[export.pk])


def send(mail: EmailMessage) -> None:
    """Send a mail, with a few tries. Raises ExportRefused."""
    for pause in (*PAUSES, None):
        try:
            mail.send()
            return
        except (OSError, SMTPException) as error:
            if pause is None:
                raise ExportRefused(f"The mail could not be sent: {error}") from error
            time.sleep(pause)
