"""What is answered: the shapes that the schema describes."""

from typing import Any

from rest_framework import serializers

from broadcasts.exports.filters import OF
from broadcasts.history import columns
from broadcasts.history.changes import KINDS
from broadcasts.models import AccessEvent, Broadcast, Candidate, ClaimAttempt


class CandidateSerializer(serializers.ModelSerializer):
    class Meta:
        model = Candidate
        fields = columns.CANDIDATE
        read_only_fields = fields


class AttemptSerializer(serializers.ModelSerializer):
    """A claim attempt; `broadcast` is its number, or null where it belongs to none."""

    class Meta:
        model = ClaimAttempt
        fields = columns.ATTEMPT
        read_only_fields = fields


class RoundSerializer(serializers.Serializer):
    app_filter = serializers.CharField()
    timeout_ms = serializers.IntegerField()


class BroadcastRowSerializer(serializers.ModelSerializer):
    """A broadcast, with the columns that were asked for."""

    caller = serializers.CharField()
    candidates = serializers.IntegerField()
    server = serializers.CharField()
    preset = serializers.CharField()
    rule = serializers.CharField()
    warnings = serializers.ListField(child=serializers.CharField())
    app_args = serializers.ListField(child=serializers.CharField())
    arguments_given = serializers.ListField(child=serializers.CharField())
    rounds = RoundSerializer(many=True)
    channel = serializers.DictField()

    always = False

    class Meta:
        model = Broadcast
        fields = tuple(column.key for column in columns.ALL)

    def get_fields(self) -> dict[str, Any]:
        """Return the columns, each told as the pages tell it."""
        fields = super().get_fields()
        for key, field in fields.items():
            field.read_only, field.required = False, self.always
            if column := columns.BY_KEY.get(key):
                unit = f", in {column.unit}" if column.unit else ""
                field.help_text = " ".join(
                    filter(None, (f"{column.label}{unit}.", field.help_text))
                )
        return fields


class BroadcastSerializer(BroadcastRowSerializer):
    """A broadcast with all its columns, the candidates it was offered to, and the claims."""

    offered_to = CandidateSerializer(many=True)
    attempts = AttemptSerializer(many=True)

    always = True

    class Meta(BroadcastRowSerializer.Meta):
        fields = (*BroadcastRowSerializer.Meta.fields, "offered_to", "attempts")


class ApplicationSerializer(serializers.Serializer):
    """A candidate application that is connected now."""

    application = serializers.CharField()
    server = serializers.CharField()
    user = serializers.CharField(help_text="Whose credentials it connected with.")
    since = serializers.DateTimeField()


class LinkSerializer(serializers.Serializer):
    """The link to one Asterisk server."""

    name = serializers.CharField(help_text="The server's name.")
    up = serializers.BooleanField()
    since = serializers.DateTimeField(allow_null=True, help_text="Since when it is up.")
    version = serializers.CharField(help_text="Asterisk's version, as it said last.")
    error = serializers.CharField(help_text="Why it is down; empty while it is up.")


class DifferenceSerializer(serializers.Serializer):
    """One field that was changed, in words."""

    field = serializers.CharField()
    old = serializers.CharField(help_text="What it held; empty where it was nothing.")
    new = serializers.CharField(help_text="What it holds since then.")


class ChangeSerializer(serializers.Serializer):
    """A change of the configuration or of somebody's account."""

    at = serializers.DateTimeField()
    by = serializers.CharField(help_text="Who; empty for what no person did.")
    of = serializers.ChoiceField(choices=OF, help_text="What was changed.")
    name = serializers.CharField(help_text="What it was called then.")
    change = serializers.ChoiceField(choices=[*KINDS.values()])
    reason = serializers.CharField(help_text="Why, as they said; empty if they did not.")
    differences = DifferenceSerializer(many=True)


class AccessEventSerializer(serializers.ModelSerializer):
    """A sign-in, an export, an unmasking or the like."""

    class Meta:
        model = AccessEvent
        fields = ("id", "at", "kind", "who", "address", "detail")
        read_only_fields = fields
