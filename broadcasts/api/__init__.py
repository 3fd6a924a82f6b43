"""The door for other programs: the record as JSON, read-only, for whoever holds a token."""
