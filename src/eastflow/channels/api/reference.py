"""The reference at `/docs`: one self-contained page made from the OpenAPI document, readable without a network."""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

from .messages import LANGUAGES
from .problems import MEDIA_TYPE, STATUSES

_STYLE = """
:root{color-scheme:light dark;--ink:#1d2433;--soft:#5b6579;--line:#dfe3ea;--paper:#fff;--panel:#f6f8fb;--mark:#0b6e4f}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8f0;--soft:#9aa5b8;--line:#2f3747;--paper:#141922;--panel:#1b2230;
--mark:#5cc8a0}}
*{box-sizing:border-box}html{scroll-padding-top:1rem}
body{margin:0;font:16px/1.55 system-ui,sans-serif;color:var(--ink);background:var(--paper);display:grid;
grid-template-columns:17rem minmax(0,1fr)}
nav{position:sticky;top:0;height:100vh;overflow:auto;padding:1.5rem 1rem;border-right:1px solid var(--line);
background:var(--panel);font-size:.875rem}
nav h2{font-size:.75rem;letter-spacing:.06em;text-transform:uppercase;color:var(--soft);margin:1.25rem 0 .25rem}
nav a{display:block;padding:.15rem .25rem;color:inherit;text-decoration:none}nav a:hover{color:var(--mark)}
main{padding:2rem clamp(1rem,4vw,3.5rem);max-width:62rem}
h1{margin:0 0 .5rem;font-size:1.9rem}article{border-top:1px solid var(--line);padding:1.5rem 0}
article h3{margin:0 0 .25rem;font-size:1.15rem}h4{margin:1.1rem 0 .35rem;font-size:.875rem;color:var(--soft)}
code,pre{font:.85em/1.5 ui-monospace,monospace}pre{background:var(--panel);border:1px solid var(--line);
border-radius:.4rem;padding:.8rem 1rem;overflow:auto;margin:.3rem 0}
.path{font:600 .95rem ui-monospace,monospace;overflow-wrap:anywhere}
.method{display:inline-block;min-width:4rem;color:var(--mark)}
table{border-collapse:collapse;width:100%;font-size:.9rem;display:block;overflow:auto}
th,td{text-align:left;vertical-align:top;padding:.35rem .8rem .35rem 0;border-bottom:1px solid var(--line)}
th{color:var(--soft);font-weight:600}:target{background:var(--panel)}
@media(max-width:52rem){body{display:block}nav{position:static;height:auto;border:0}}
"""
_CODE = re.compile(r"`([^`]+)`")


def page(document: dict[str, Any]) -> str:
    schemas = document["components"]["schemas"]
    by_tag: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            by_tag.setdefault(operation["tags"][0], []).append((method.upper(), path, operation))
    contents, sections = [], []
    for tag, operations in by_tag.items():
        links = (f'<a href="#{each["operationId"]}">{escape(each["summary"])}</a>' for _, _, each in operations)
        contents.append(f"<h2>{escape(tag)}</h2>{''.join(links)}")
        articles = (_article(method, path, each, schemas) for method, path, each in operations)
        sections.append(f"<section><h2>{escape(tag)}</h2>{''.join(articles)}</section>")
    shapes = "".join(
        f'<article id="schema-{escape(name)}"><h3>{escape(name)}</h3><p>{_text(schema.get("description", ""))}</p>'
        f"{_fields(schema)}</article>"
        for name, schema in sorted(schemas.items())
    )
    info = document["info"]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(info['title'])} API</title><style>{_STYLE}</style></head><body>"
        f'<nav aria-label="Contents">{"".join(contents)}<h2>More</h2><a href="#shapes">Shapes</a>'
        '<a href="#problems">Refusals</a><a href="/openapi.json">OpenAPI document</a></nav>'
        f"<main><h1>{escape(info['title'])} API</h1><p>{_text(info['description'])}</p>"
        "<p>Send your key with every request: <code>Authorization: Bearer ef_…</code></p>"
        f'{"".join(sections)}<section id="shapes"><h2>Shapes</h2>{shapes}</section>{_problems()}</main></body></html>'
    )


def _article(method: str, path: str, operation: dict[str, Any], schemas: dict[str, Any]) -> str:
    parts = [
        f'<article id="{operation["operationId"]}"><h3>{escape(operation["summary"])}</h3>'
        f'<div class="path"><span class="method">{method}</span>{escape(path)}</div>'
        f"<p>{_text(operation.get('description', ''))}</p>"
    ]
    if parameters := operation.get("parameters"):
        rows = "".join(
            f"<tr><td><code>{escape(each['name'])}</code></td><td>{each['in']}"
            f"{', required' if each['required'] else ''}</td><td>{_type(each['schema'])}</td></tr>"
            for each in parameters
        )
        parts.append(f"<h4>Parameters</h4><table>{rows}</table>")
    if body := operation.get("requestBody"):
        [content] = body["content"].values()
        schema = content["schema"]
        name = schema.get("$ref", "").rpartition("/")[2]
        parts.append(f"<h4>Body</h4>{_fields(schemas.get(name, schema))}{_example(content)}")
    for status, response in operation["responses"].items():
        parts.append(f"<h4>{status}</h4><p>{_refusals(response['description'])}")
        content = next(
            (each for kind, each in response.get("content", {}).items() if kind != MEDIA_TYPE.decode()), None
        )
        parts.append(f" {_type(content['schema'])}</p>{_example(content)}" if content else "</p>")
    return "".join(parts) + "</article>"


def _fields(schema: dict[str, Any]) -> str:
    required = schema.get("required", ())
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{'required' if name in required else ''}</td>"
        f"<td>{_type(field)}</td></tr>"
        for name, field in schema.get("properties", {}).items()
    )
    if not rows:
        return f"<p>{_type(schema)}</p>"
    return f"<table><tr><th>Field</th><th></th><th>Type</th></tr>{rows}</table>"


def _type(schema: dict[str, Any]) -> str:
    if reference := schema.get("$ref"):
        name = escape(reference.rpartition("/")[2])
        return f'<a href="#schema-{name}">{name}</a>'
    if choices := schema.get("anyOf"):
        return " or ".join(_type(choice) for choice in choices)
    if "enum" in schema:
        return " · ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    told = schema.get("format") or schema.get("type") or schema.get("const") or "anything"
    limits = {"minimum": "≥", "maximum": "≤", "maxLength": "length ≤", "pattern": "matches"}
    notes = [f"{word} <code>{escape(str(schema[key]))}</code>" for key, word in limits.items() if key in schema]
    return escape(str(told)) + (f", {', '.join(notes)}" if notes else "")


def _example(content: dict[str, Any]) -> str:
    return "".join(
        f"<pre>{escape(each if isinstance(each, str) else json.dumps(each, indent=2, ensure_ascii=False))}</pre>"
        for each in (example["value"] for example in content.get("examples", {}).values())
    )


def _problems() -> str:
    rows = "".join(
        f'<tr id="{code.value}"><td><code>{code.value}</code></td><td>{status}</td>'
        + "".join(f"<td>{escape(catalogue[str(code.value)][0])}</td>" for catalogue in LANGUAGES.values())
        + "</tr>"
        for code, status in STATUSES.items()
    )
    head = "<tr><th>Code</th><th>Status</th><th>English</th><th>简体中文</th><th>한국어</th></tr>"
    return f'<section id="problems"><h2>Refusals</h2><table>{head}{rows}</table></section>'


def _refusals(text: str) -> str:
    return _CODE.sub(r'<a href="#\1"><code>\1</code></a>', escape(text))


def _text(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text))
