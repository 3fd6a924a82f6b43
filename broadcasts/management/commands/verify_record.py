"""manage.py verify_record: whether the finished record is as it was sealed."""

from argparse import ArgumentTypeError
from collections.abc import Iterator
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser

from broadcasts.archive.chain import read_anchor
from broadcasts.archive.findings import Findings, Report, moment
from broadcasts.archive.verification import CannotStart, Verification
from broadcasts.management.progress import Progress
from broadcasts.models import Seal

IS_WRONG = 1
IS_LATE = 3


def anchor(text: str) -> tuple[int, bytes]:
    """Read an anchor. Raises ArgumentTypeError."""
    try:
        return read_anchor(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


class Command(BaseCommand):
    help = (
        "Check that the finished record is as it was sealed, and name what was changed, removed or "
        f"put in. Exit code: 0 if nothing was, {IS_WRONG} if something was, {IS_LATE} if nothing "
        "was but something was sealed late, and may have been put in."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--from",
            type=int,
            dest="start",
            metavar="NUMBER",
            help="begin with this seal, taking what was sealed before as it is",
        )
        parser.add_argument(
            "--expect",
            type=anchor,
            metavar="NUMBER:CHAINHEX",
            help="an anchor kept from an earlier verification or an export's manifest",
        )
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        progress = Progress("Seals checked")
        try:
            report = Verification(options["start"], options["expect"]).run(progress)
        except CannotStart as error:
            raise CommandError(str(error)) from None
        finally:
            progress.end()
        if options["json"]:
            self.stdout.write(orjson.dumps(report).decode())
        else:
            for line in lines(report):
                self.stdout.write(line)
        if report.faults.count:
            raise CommandError("The record is not as it was sealed.", returncode=IS_WRONG)
        if report.late.count:
            raise CommandError("Some of the record was sealed late.", returncode=IS_LATE)


def lines(report: Report) -> Iterator[str]:
    """Yield the report in words."""
    count = sum(report.checked.values())
    yield from told("NOT AS IT WAS SEALED", report.faults)
    if count and not report.held:
        yield "Not one seal holds: is RECORD_KEY the one under which the record was sealed?"
    yield from told("SEALED LATE: written after its time, or put in", report.late)
    yield f"Checked {count:,} seals: {kinds(report)}"
    if report.earliest:
        yield f"  finished between {moment(report.earliest)} and {moment(report.latest)}"
    if report.removed_through:
        yield f"  behind seal {report.removed_through}: the retention removed what was before"
    if not report.faults.count:
        yield "Everything that was sealed is as it was, and nothing is missing."
    yield f"Anchor to keep: {report.anchor}"
    unsealed = [f"{what} {number:,}" for what, number in report.unsealed.items() if number]
    yield f"Sealed is what was finished until {moment(report.sealed_until)}"
    yield f"  not yet, so not checked: {', '.join(unsealed) or 'nothing'}"


def kinds(report: Report) -> str:
    counts = ((Seal.Kind(kind).label, count) for kind, count in sorted(report.checked.items()))
    return ", ".join(f"{label} {count:,}" for label, count in counts) or "none"


def told(title: str, findings: Findings) -> Iterator[str]:
    """Yield what was found, the first first, and how much more there is."""
    if not findings.count:
        return
    yield f"{title}: {findings.count:,}"
    for finding in findings.told:
        where = f"seal {finding.seal}: " if finding.seal else ""
        yield f"  {where}{finding.what}"
    more = findings.count - sum(finding.count for finding in findings.told)
    if more:
        yield f"  and {more:,} more"
