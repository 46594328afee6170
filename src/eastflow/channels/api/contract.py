"""The OpenAPI 3.1 document, made from the operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

import eastflow

from .operation import Operation
from .problems import Problem, status_of

_REFERENCE = "#/components/schemas/{name}"
_REPLAY_HEADER = {
    "description": "`true` when the request had taken effect before.",
    "schema": {"type": "string", "enum": ["true"]},
}
_RETRY_HEADER = {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}
_TITLES = {
    400: "Malformed", 401: "No valid key", 403: "Not permitted", 404: "Not found", 405: "Method not allowed",
    409: "In conflict with the books", 413: "Too large", 422: "Declined", 429: "Too many requests",
    503: "Out of reach for a moment",
}  # fmt: skip
INTRODUCTION = (
    "Amounts are whole minor units of their asset. Every write carries an id of the caller's choice: sending it again "
    "is safe, and is answered as the first time. A refusal is a problem document (RFC 9457) whose `code` never changes "
    "its meaning; its title and detail follow `Accept-Language` (en, zh-Hans, ko)."
)


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    types: list[Any] = [Problem]
    for operation in operations:
        types += [each for each in (operation.body, operation.parameters) if each is not None]
        types += operation.answers.values()
    schemas, components = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    schema_of = dict(zip((repr(each) for each in types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schema_of, components)
    parameters = {operation.parameters.__name__ for operation in operations if operation.parameters}
    paths["/healthz"] = {"get": _health()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Eastflow",
            "version": getattr(eastflow, "__version__", "0.1.0"),
            "description": INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(operation.tag for operation in operations)],
        "paths": paths,
        "components": {
            "schemas": {name: schema for name, schema in components.items() if name not in parameters},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "`ef_<id>_<random>`"}},
        },
    }


def _operation(operation: Operation, schema_of: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": f"{operation.description} Needs the scope `{operation.scope.value}`.".strip(),
        "x-scope": operation.scope.value,
        "x-refusals": [code.value for code in operation.every_refusal],
        "responses": _responses(operation, schema_of),
    }
    if operation.parameters is not None:
        told["parameters"] = _parameters(operation, components[operation.parameters.__name__])
    if operation.body is not None:
        content = {"schema": schema_of[repr(operation.body)], "examples": _example(operation.body_example)}
        told["requestBody"] = {"required": True, "content": {operation.media_type.decode(): content}}
    return told


def _responses(operation: Operation, schema_of: dict[str, Any]) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status, answer in operation.answers.items():
        content = {"schema": schema_of[repr(answer)], "examples": _example(operation.answer_example)}
        responses[str(status)] = {"description": "Done", "content": {operation.media_type.decode(): content}}
        if status == 200 and operation.method == "POST":
            responses["200"]["headers"] = {"Idempotent-Replayed": _REPLAY_HEADER}
    by_status: dict[int, list[str]] = {}
    for code in operation.every_refusal:
        by_status.setdefault(status_of(code), []).append(str(code.value))
    for status, codes in sorted(by_status.items()):
        responses[str(status)] = {
            "description": f"{_TITLES.get(status, 'Declined')}: " + ", ".join(f"`{code}`" for code in codes),
            "content": {"application/problem+json": {"schema": schema_of[repr(Problem)]}},
        }
        if status in (429, 503):
            responses[str(status)]["headers"] = {"Retry-After": _RETRY_HEADER}
    return responses


def _parameters(operation: Operation, schema: dict[str, Any]) -> list[dict[str, Any]]:
    parameters = []
    for name, field in schema["properties"].items():
        place = "path" if name in operation.path_names else "query"
        parameter: dict[str, Any] = {"name": name, "in": place, "required": name in schema.get("required", ())}
        parameter["schema"] = _given(field)
        if name == "details":
            parameter |= {"style": "deepObject", "explode": True}
        if name in operation.path_example:
            parameter["example"] = operation.path_example[name]
        parameters.append(parameter)
    return parameters


def _given(field: dict[str, Any]) -> dict[str, Any]:
    """A parameter is given or left out; there is no null in a query."""
    field = {name: value for name, value in field.items() if not (name == "default" and value is None)}
    choices = [choice for choice in field.pop("anyOf", ()) if choice != {"type": "null"}]
    return {**field, **choices[0]} if len(choices) == 1 else field | ({"anyOf": choices} if choices else {})


def _example(value: object) -> dict[str, Any]:
    return {} if value is None else {"example": {"value": value}}


def _health() -> dict[str, Any]:
    alive = {"type": "object", "properties": {"status": {"const": "ok"}}, "required": ["status"]}
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        "operationId": "health",
        "tags": ["Health"],
        "summary": "Whether the bank and its database answer",
        "security": [],
        "responses": {
            "200": {"description": "Alive", "content": {"application/json": {"schema": alive}}},
            "503": {"description": "Out of reach: `api.unavailable`", "content": problem},
        },
    }
