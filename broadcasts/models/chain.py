"""The chain that seals finished records, and the signed notes of what has gone from its head."""

from django.db import models


class Seal(models.Model):
    """One link of the chain: a finished record's digest, and the chain up to and including it.

    Written once, in order, without gaps; `domain/seal.py` says what goes into both hashes.
    """

    class Kind(models.TextChoices):
        BROADCAST = "broadcast", "broadcast"
        ATTEMPT = "attempt", "claim attempt without a broadcast"
        ACCESS = "access", "access"

    number = models.PositiveBigIntegerField(primary_key=True)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    subject = models.PositiveBigIntegerField(help_text="The key of the record that it seals.")
    finished_at = models.DateTimeField(help_text="When the record was finished.")
    sealed_at = models.DateTimeField()
    late = models.BooleanField(
        default=False,
        help_text="Records that were finished later had been sealed already: it was written late, "
        "as when the database had been away, or put in.",
    )
    digest = models.BinaryField(max_length=48, help_text="16 bytes for each part of the record.")
    chain = models.BinaryField(max_length=32)

    class Meta:
        ordering = ["number"]
        default_permissions = ["view"]

    def __str__(self) -> str:
        return f"{self.number}: {self.kind} {self.subject}"


class ChainHead(models.Model):
    """One row: where the chain ends. Whoever appends to the chain holds its lock.

    `horizon`: everything that was finished until then has been sealed. `unbroken_since`: since when
    looks have followed one another closely; after a pause, late entries are waited for first.
    `attempts` and `accesses` are the keys of the last ones sealed of what is only ever appended,
    `pseudonyms` is the number of the last seal whose broadcast's caller has been replaced.
    """

    number = models.PositiveBigIntegerField(default=0)
    chain = models.BinaryField(max_length=32, default=bytes(32))
    horizon = models.DateTimeField(null=True)
    looked_at = models.DateTimeField(null=True)
    unbroken_since = models.DateTimeField(null=True)
    attempts = models.PositiveBigIntegerField(default=0)
    accesses = models.PositiveBigIntegerField(default=0)
    pseudonyms = models.PositiveBigIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.number)


class RetentionNote(models.Model):
    """A signed note of records that were removed as they were older than the retention.

    They were the head of the chain: it now begins behind seal `through` with the value `chain`.
    """

    at = models.DateTimeField()
    by = models.CharField(max_length=150, help_text="Who, or the service itself.")
    older_than = models.DateTimeField()
    first = models.PositiveBigIntegerField()
    through = models.PositiveBigIntegerField()
    chain = models.BinaryField(max_length=32)
    removed = models.JSONField(help_text="How many records of each kind.")
    signature = models.BinaryField(max_length=64, help_text="Ed25519, by the record's key.")

    class Meta:
        verbose_name, verbose_name_plural = "note of retention", "notes of retention"
        ordering = ["through"]
        default_permissions = ["view"]

    def __str__(self) -> str:
        return f"{self.first}–{self.through}"
