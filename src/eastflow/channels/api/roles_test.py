"""Each operation is reachable by the roles it should be and by no other: scope by scope, and over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from eastflow.channels.api import keys
from eastflow.channels.api.app import OPERATIONS
from eastflow.channels.api.conftest import Served, serving
from eastflow.channels.api.keys import Scope
from eastflow.channels.api.operation import Operation
from eastflow.channels.api.roles import ROLE_SCOPES
from eastflow.operations import Role

T, S, OP, C, M, P, A, D = (
    Role.TELLER, Role.SUPERVISOR, Role.OPERATOR, Role.COMPLIANCE, Role.PRODUCT_MANAGER, Role.PARTNER, Role.AUDITOR,
    Role.ADMINISTRATOR,
)  # fmt: skip
WHO_MAY: dict[Scope, set[Role]] = {
    Scope.ASSETS_READ: {T, S, OP, C, M, P, A, D},
    Scope.ASSETS_WRITE: {D},
    Scope.ACCOUNTS_READ: {T, S, OP, C, P, A},
    Scope.ENTRIES_READ: {T, S, OP, C, P, A},
    Scope.ACCOUNTS_WRITE: set(),
    Scope.ENTRIES_WRITE: set(),
    Scope.HOLDS_READ: {T, S, OP, C, P, A},
    Scope.HOLDS_WRITE: {S, P},
    Scope.PARTIES_READ: {T, S, OP, C, A},
    Scope.PARTIES_WRITE: {T, S},
    Scope.PARTIES_PERSONAL: {T, S, C},
    Scope.PARTIES_ERASE: {C},
    Scope.BRANCH_READ: {T, S, OP, C, A, D},
    Scope.BRANCH_WRITE: {T, S},
    Scope.BRANCH_MANAGE: {D},
    Scope.FLOWS_READ: {T, S, OP, C, A},
    Scope.FLOWS_WRITE: {T, S},
    Scope.FLOWS_FUND: set(),
    Scope.PRODUCTS_READ: {T, S, OP, C, M, P, A},
    Scope.PRODUCTS_WRITE: {M},
    Scope.PRODUCTS_APPROVE: {M},
    Scope.DEPOSITS_READ: {T, S, OP, C, A},
    Scope.DEPOSITS_WRITE: {T, S},
    Scope.DEPOSITS_FREEZE: {C},
    Scope.DEPOSITS_PLEDGE: {S},
    Scope.PAYMENTS_READ: {T, S, OP, C, P, A},
    Scope.PAYMENTS_WRITE: {T, S, P},
    Scope.REPORTS_READ: {S, OP, C, M, A},
    Scope.EVENTS_READ: {OP, C, P, A},
    Scope.WEBHOOKS_READ: {OP, C, A, D},
    Scope.WEBHOOKS_WRITE: {OP},
    Scope.OPERATIONS_READ: {OP, C, A},
    Scope.OPERATIONS_WRITE: {OP},
    Scope.APPROVALS_READ: {T, S, OP, C, M, A, D},
    Scope.APPROVALS_WRITE: {T, S, OP, C, M, D},
    Scope.APPROVALS_DECIDE: {S, C, M, D},
    Scope.ISO20022_READ: {OP, C, A},
    Scope.ISO20022_WRITE: set(),
    Scope.KEYS_WRITE: {D},
    Scope.KEYS_ROTATE: set(Role),
    Scope.ROLES_GRANT: {D},
}


OF_PROGRAMS = {Scope.ACCOUNTS_WRITE, Scope.ENTRIES_WRITE, Scope.FLOWS_FUND, Scope.ISO20022_WRITE}
"""Which no person has by a role: a program's key names them."""


def test_every_scope_is_a_roles_or_a_programs() -> None:
    of_roles = set().union(*ROLE_SCOPES.values())
    forgotten = [scope.value for scope in Scope if scope.value not in of_roles and scope not in OF_PROGRAMS]
    assert forgotten == [], f"name {forgotten} in the roles of roles.py that are to have it, or in OF_PROGRAMS here"
    both = [scope.value for scope in OF_PROGRAMS if scope.value in of_roles]
    assert both == [], f"{both} is in OF_PROGRAMS here and in a role of roles.py: take it from one of them"
    unknown = sorted(of_roles - {scope.value for scope in Scope})
    assert unknown == [], f"{unknown} is in roles.py and is no Scope of keys.py"


def test_the_table_says_of_every_scope_who_has_it() -> None:
    unsaid = [scope.value for scope in Scope if scope not in WHO_MAY]
    assert unsaid == [], f"say in WHO_MAY who has {unsaid}, as roles.py does"
    found = {scope: {role for role in Role if scope.value in ROLE_SCOPES[role]} for scope in Scope}
    assert found == WHO_MAY


def test_nobody_sets_the_limits_of_the_payments_they_make() -> None:
    scopes = {operation.name: operation.scope for operation in OPERATIONS}
    assert {scopes["set_payment_limit"], scopes["set_payment_scheme"]} == {Scope.OPERATIONS_WRITE}
    for scope in (Scope.PAYMENTS_WRITE, Scope.ISO20022_WRITE):
        assert not WHO_MAY[scope] & WHO_MAY[Scope.OPERATIONS_WRITE]


@pytest.fixture(scope="module")
def bank(embedded_server: str) -> Iterator[Served]:
    with serving(embedded_server, requests_per_second_max=100_000) as served:
        yield served


def ask(client: httpx.Client, operation: Operation) -> httpx.Response:
    """With nothing but the path: whoever may, is refused for something else, or answered."""
    return client.request(operation.method, operation.path.format(**operation.path_example))


@pytest.mark.parametrize("role", Role, ids=lambda role: role.value)
def test_each_role_reaches_its_operations_and_no_other(bank: Served, role: Role) -> None:
    made = bank.run(bank.database.run(lambda tx: keys.create_key(tx, role.value, (), roles=[role])))
    with bank.client(made[1]) as client:
        for operation in OPERATIONS:
            answer = ask(client, operation)
            refused = answer.status_code == 403 and answer.json()["code"] == "api.scope_missing"
            assert refused is (role not in WHO_MAY[operation.scope]), (operation.name, answer.text)
            assert answer.status_code < 500, (operation.name, answer.text)


def test_a_key_of_before_has_the_scopes_it_was_given(bank: Served) -> None:
    with bank.client(bank.key(Scope.ENTRIES_READ)) as client:
        for operation in OPERATIONS:
            assert (ask(client, operation).status_code == 403) is (operation.scope is not Scope.ENTRIES_READ)
