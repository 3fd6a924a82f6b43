"""Rule tester: which rule and preset would catch a call, why, and where each value comes from."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from broadcasts.domain.plan import Explanation, Plan, Source, explain
from broadcasts.domain.rules import Incoming
from broadcasts.history.words import in_words, rounds_in_words
from broadcasts.models import Defaults
from broadcasts.models.snapshot import read_call_configuration

from .tools_page import server_field, text_field, tool_page

# Rules that are listed with what did not fit; the others are counted.
MOST_LISTED = 100
# The servers' numbers begin at 1: only rules for any server match this one.
NO_SERVER = 0

ARGUMENTS = ("timeout", "app_filter", "args", "notify_claimed")
SOURCES = {
    Source.DIALPLAN: "dialplan",
    Source.RULE: "rule",
    Source.PRESET: "preset",
    Source.SERVER: "defaults of the server",
    Source.INSTALLATION: "defaults of the installation",
    Source.ENVIRONMENT: "environment",
}
CHOOSERS = {
    Source.DIALPLAN: "the dialplan names it",
    Source.SERVER: "by the defaults of the server, as no rule matches",
    Source.INSTALLATION: "by the defaults of the installation, as no rule matches",
}


class CallForm(forms.Form):
    """A call as it would come in, and what its dialplan would say."""

    server = server_field("one without rules and defaults of its own")
    context = text_field("Context", "The dialplan context, such as from-trunk.")
    extension = text_field("Extension", "The number that was called.")
    caller = text_field("Caller's number")
    timeout = text_field("Time-out (ms)")
    app_filter = text_field("App filter", "Or a preset, such as @name. Empty: a rule chooses.")
    args = text_field("Arguments for the winner", "Separated by colons.")
    notify_claimed = text_field("Notify claimed", "As in the dialplan: yes, true, 1, …")

    def call_fields(self) -> list[Any]:
        return [self[name] for name in self.fields if name not in ARGUMENTS]

    def argument_fields(self) -> list[Any]:
        return [self[name] for name in ARGUMENTS]

    def explain(self) -> Explanation:
        """Judge the call as one that comes in now would be."""
        values = self.cleaned_data
        server_id = values["server"].pk if values["server"] else NO_SERVER
        call = Incoming(server_id, values["context"], values["extension"], values["caller"])
        return explain(read_call_configuration(), call, [values[name] for name in ARGUMENTS])


class InForce(NamedTuple):
    """A value of a plan in words, and where it comes from."""

    label: str
    value: str
    source: str


def tester_view(request: HttpRequest) -> HttpResponse:
    """Show how a call would be broadcast; without one, the form alone."""
    if not request.user.has_perms(["broadcasts.change_preset", "broadcasts.change_rule"]):
        raise PermissionDenied
    form = CallForm(request.GET or None)
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        context |= told(form.explain())
    return tool_page(request, "rule_tester.html", "Rule tester", context)


def told(explanation: Explanation) -> dict[str, Any]:
    """Return an explanation as the page shows it."""
    plan, passed_over = explanation.plan, explanation.passed_over
    return {
        "plan": plan,
        "chosen": chosen(plan),
        "in_force": list(in_force(plan)),
        "passed_over": [(rule.name, ", ".join(why)) for rule, why in passed_over[:MOST_LISTED]],
        "unlisted": max(0, len(passed_over) - MOST_LISTED),
    }


def chosen(plan: Plan) -> str:
    """Return what the call gets and who chose that, in a sentence."""
    if "preset" not in plan.sources:
        if "app_filter" in plan.sources:
            return "No preset: the dialplan gives a filter of its own."
        return (
            "No preset: no rule matches and the defaults name none. Everyone is offered the call."
        )
    source = plan.sources["preset"]
    who = f"rule {plan.rule} matches" if source is Source.RULE else CHOOSERS[source]
    version = f", version {plan.preset_version}" if plan.preset_version else ""
    return f"Preset {plan.preset}{version}: {who}."


def in_force(plan: Plan) -> Iterator[InForce]:
    """Yield every value that the call would get."""

    def row(label: str, name: str, value: str) -> InForce:
        source = plan.sources.get(name)
        return InForce(label, value, SOURCES[source] if source else "nothing says otherwise")

    rounds = rounds_in_words([asdict(one) for one in plan.rounds])
    yield row("Rounds", "app_filter", rounds)
    yield row("Time-out", "timeout_ms", f"{plan.timeout_ms} ms")
    yield row("Arguments for the winner", "args", ":".join(plan.args) or "none")
    yield row("Tell the candidates who won", "notify_claimed", yes_or_no(plan.notify_claimed))
    for name, value in asdict(plan.policy).items():
        field = Defaults._meta.get_field(name)
        label = str(field.verbose_name)
        yield row(label[0].upper() + label[1:], name, in_words(field, value))


def yes_or_no(value: bool) -> str:
    return "yes" if value else "no"
