"""The record as an auditor reads it: straight from the database."""

import json
import sqlite3
from typing import Any

import psycopg
from psycopg.rows import dict_row

Row = dict[str, Any]


class Record:
    """Reads the tables of a database of either engine."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url

    def rows(self, table: str) -> list[Row]:
        """Return every row of `broadcasts_TABLE` in the order in which they were written."""
        query = f"SELECT * FROM broadcasts_{table} ORDER BY id"
        if self._url.startswith("sqlite"):
            return self._sqlite_rows(query)
        with psycopg.connect(self._url, row_factory=dict_row) as connection:
            return connection.execute(query).fetchall()

    def _sqlite_rows(self, query: str) -> list[Row]:
        connection = sqlite3.connect(self._url.removeprefix("sqlite:///"))
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(query)]
        finally:
            connection.close()

    def broadcasts(self, channel_id: str) -> list[Row]:
        """Return the broadcasts of a channel, oldest first."""
        return [row for row in self.rows("broadcast") if row["channel_id"] == channel_id]

    def live(self) -> list[Row]:
        """Return the broadcasts that are neither ended nor given back."""
        return [row for row in self.rows("broadcast") if row["ended_at"] is None]

    def candidates(self, broadcast: Row) -> list[Row]:
        """Return the candidates of a broadcast."""
        return [row for row in self.rows("candidate") if row["broadcast_id"] == broadcast["id"]]

    def attempts(self, channel_id: str) -> list[tuple[str, int, str]]:
        """Return the claims for a channel: application, answer, verdict."""
        return [
            (row["application"], row["answer"], row["verdict"])
            for row in self.rows("claimattempt")
            if row["channel_id"] == channel_id
        ]


def listed(value: str | list[Any]) -> list[Any]:
    """Return a JSON column's list: SQLite's driver hands out its text."""
    return json.loads(value) if isinstance(value, str) else value
