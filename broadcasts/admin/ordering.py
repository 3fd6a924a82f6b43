"""The order of rules: moving one shifts those between, whatever their number, in one statement."""

from django.db import transaction
from django.db.models import Count, F, Max

from broadcasts.models import Rule


def move(rule: Rule, position: int, reason: str = "") -> None:
    """Save a rule at a position, from 1 up; beyond the last one it becomes the last.

    Of those that are shifted nothing is kept in the history: their order among each other stays.
    """
    with transaction.atomic():
        _tell_apart()
        stored = Rule.objects.select_for_update().get(pk=rule.pk).position
        last = Rule.objects.aggregate(last=Max("position"))["last"]
        position = max(1, min(position, last))
        between = Rule.objects.exclude(pk=rule.pk)
        if position < stored:
            between = between.filter(position__gte=position, position__lt=stored)
            between.update(position=F("position") + 1)
        elif position > stored:
            between = between.filter(position__gt=stored, position__lte=position)
            between.update(position=F("position") - 1)
        rule.position = position
        moved = f"moved from {stored} to {position}" if position != stored else ""
        rule._change_reason = ": ".join(filter(None, (moved, reason)))[:255] or None
        rule.save()


def place_before(rule: Rule, neighbour: Rule) -> None:
    """Move a rule to just before another one."""
    _tell_apart()
    stored, wanted = (
        Rule.objects.get(pk=rule.pk).position,
        Rule.objects.get(pk=neighbour.pk).position,
    )
    move(rule, wanted if wanted < stored else wanted - 1)


def place_after(rule: Rule, neighbour: Rule) -> None:
    """Move a rule to just behind another one."""
    _tell_apart()
    stored, wanted = (
        Rule.objects.get(pk=rule.pk).position,
        Rule.objects.get(pk=neighbour.pk).position,
    )
    move(rule, wanted if wanted > stored else wanted + 1)


def _tell_apart() -> None:
    """Number the rules anew where two share a position."""
    counts = Rule.objects.aggregate(rules=Count("pk"), places=Count("position", distinct=True))
    if counts["rules"] == counts["places"]:
        return
    rules = list(Rule.objects.order_by("position", "pk").only("pk", "position"))
    for position, rule in enumerate(rules, 1):
        rule.position = position
    Rule.objects.bulk_update(rules, ["position"], batch_size=500)
