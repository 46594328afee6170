"""The contract is complete, holds against made-up requests, and is readable without a network."""

from __future__ import annotations

import re
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from eastflow.channels.api import contract
from eastflow.channels.api.app import OPERATIONS
from eastflow.channels.api.conftest import Served
from eastflow.channels.api.routes_webhooks import EXAMPLE

EXAMPLES = 20
WEBHOOK_URL = EXAMPLE["url"]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
_DOCUMENT = contract.document(OPERATIONS)


def test_every_operation_has_a_scope_examples_and_refusals() -> None:
    for operation in OPERATIONS:
        told = _DOCUMENT["paths"][operation.path][operation.method.lower()]
        assert operation.answer_example is not None, operation.name
        assert (operation.body is None) == (operation.body_example is None), operation.name
        assert set(operation.path_example) == set(operation.path_names), operation.name
        assert {"200", "201"} & told["responses"].keys()
        assert {"401", "403", "429", "503"} <= told["responses"].keys()
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)


def test_the_examples_are_what_the_operations_take_and_give() -> None:
    import msgspec

    for operation in OPERATIONS:
        if operation.body is not None:
            msgspec.convert(operation.body_example, operation.body)
        for shape in operation.answers.values():
            msgspec.convert(operation.answer_example, shape)


def test_the_reference_needs_no_network(bank: Served) -> None:
    with bank.client() as client:
        page = client.get("/docs").text
        assert client.get("/openapi.json").json()["openapi"].startswith("3.1")
    # An example of an address is a text, and leads nowhere.
    named = page.replace(f"&quot;{WEBHOOK_URL}&quot;", "").replace(f'"{WEBHOOK_URL}"', "")
    assert not re.search(r"(https?:)?//", named), "the page names another place"
    assert "<script" not in page
    targets = set(re.findall(r'href="#([^"]+)"', page))
    assert targets <= set(re.findall(r'id="([^"]+)"', page))
    for operation in OPERATIONS:
        assert operation.path in page


@pytest.mark.parametrize("name", [operation.name for operation in OPERATIONS])
def test_made_up_requests_find_no_fault(bank: Served, name: str) -> None:
    schema = schemathesis.openapi.from_dict(_DOCUMENT)
    schema.config.update(base_url=bank.url)
    operation = schema.find_operation_by_id(name)
    statuses = []

    @given(case=operation.as_strategy())
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def holds(case: Any) -> None:
        response = case.call_and_validate(headers={"authorization": f"Bearer {bank.secret}"}, checks=CHECKS)
        statuses.append(response.status_code)

    holds()
    assert len(statuses) >= EXAMPLES // 4, "too few requests were made up to say anything"
    assert not {401, 403, 429, 405, 500} & set(statuses)
