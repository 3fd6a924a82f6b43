"""What of an error may be told in a log."""


def in_a_line(error: BaseException) -> str:
    """Return an error's first line: in further ones PostgreSQL tells the row, and its values."""
    return str(error).strip().partition("\n")[0]
