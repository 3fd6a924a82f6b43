"""The OpenAPI description as a page shows it."""

from dataclasses import dataclass
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

Schema = dict[str, Any]


@dataclass(frozen=True)
class Value:
    """A parameter, or a property of an answer: `kind` is its type, `choices` what it can be."""

    name: str
    kind: str
    words: SafeString
    choices: list[str]


@dataclass(frozen=True)
class Address:
    """One address of the API."""

    path: str
    key: str
    summary: str
    words: SafeString
    example: str
    parameters: list[Value]
    answer: list[Value]


def addresses_of(schema: Schema) -> list[Address]:
    """Return every address that a schema describes, the record's first."""
    found = [(path, each["get"]) for path, each in schema["paths"].items()]
    order = ["broadcasts", "broadcast"]
    found.sort(key=lambda one: (one[1]["operationId"] not in order, one[0]))
    return [address_of(schema, path, operation) for path, operation in found]


def address_of(schema: Schema, path: str, operation: Schema) -> Address:
    parameters = operation.get("parameters", [])
    shape = operation["responses"]["200"]["content"]["application/json"]["schema"]
    return Address(
        path=path,
        key=operation["operationId"],
        summary=operation["summary"],
        words=marked(operation["description"]),
        example=path.replace("{id}", "1"),
        parameters=[
            value_of(schema, one["name"], one["schema"], one.get("description", ""))
            for one in parameters
            if one["in"] == "query"
        ],
        answer=[
            value_of(schema, name, each, each.get("description", ""))
            for name, each in row_of(schema, shape)["properties"].items()
        ],
    )


def row_of(schema: Schema, shape: Schema) -> Schema:
    """Return the shape of what is answered, of a list that of its rows."""
    shape = resolved(schema, shape)
    rows = shape["properties"].get("results")
    return resolved(schema, rows["items"]) if rows else shape


def resolved(schema: Schema, shape: Schema) -> Schema:
    """Return the component that a shape refers to, or the shape itself."""
    name = shape.get("$ref", "").rpartition("/")[2]
    return schema["components"]["schemas"][name] if name else shape


def value_of(schema: Schema, name: str, shape: Schema, description: str) -> Value:
    words = description.partition("\n\n*")[0].removesuffix("\n")
    return Value(name, kind_of(shape), marked(words), choices_of(schema, shape))


def kind_of(shape: Schema) -> str:
    """Say of what type a value is."""
    if "format" in shape and shape["format"] == "date-time":
        kind = "time"
    else:
        kinds = shape.get("type", "string")
        kind = kinds if isinstance(kinds, str) else kinds[0]
    return f"{kind} or null" if "null" in shape.get("type", "") else kind


def choices_of(schema: Schema, shape: Schema) -> list[str]:
    """Return the values that there are, if they are few and known."""
    parts = [shape, shape.get("items", {}), *shape.get("allOf", ()), *shape.get("oneOf", ())]
    found = [each for part in parts for each in resolved(schema, part).get("enum", ())]
    return [each for each in found if each]


def marked(text: str) -> SafeString:
    """Return a text as HTML, what stands between backticks as code."""
    parts = text.split("`")
    return format_html_join(
        "",
        "{}",
        ((format_html("<code>{}</code>", p) if i % 2 else p,) for i, p in enumerate(parts)),
    )
