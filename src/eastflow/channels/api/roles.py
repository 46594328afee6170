"""What each role may do: named sets of scopes, in one table. A key with a role has what the table says today.

Nobody has `accounts:write`, `entries:write`, `iso20022:write` or `flows:fund` by a role: bare accounts, entries,
messages, and the word that a new customer's money has come from another bank are for programs, whose keys name the
scope. People go through the rooms, and by approvals where that takes two.
"""

from __future__ import annotations

from collections.abc import Mapping

from eastflow.operations import Role

_EVERY_READ = (
    "assets:read accounts:read entries:read holds:read deposits:read parties:read branch:read flows:read products:read "
    "payments:read reports:read events:read webhooks:read operations:read approvals:read iso20022:read"
)
_COUNTER = (
    "assets:read accounts:read entries:read holds:read parties:read parties:write parties:personal branch:read "
    "branch:write flows:read flows:write products:read deposits:read deposits:write payments:read payments:write "
    "approvals:read approvals:write"
)

_OWN = "keys:rotate"
"""What everybody may do with what is theirs."""

ROLE_SCOPES: Mapping[Role, frozenset[str]] = {
    role: frozenset(f"{scopes} {_OWN}".split())
    for role, scopes in {
        Role.TELLER: _COUNTER,
        Role.SUPERVISOR: f"{_COUNTER} holds:write deposits:pledge reports:read approvals:decide",
        Role.OPERATOR: f"{_EVERY_READ} operations:write webhooks:write approvals:write",
        Role.COMPLIANCE: (
            f"{_EVERY_READ} parties:personal parties:erase deposits:freeze approvals:write approvals:decide"
        ),
        Role.PRODUCT_MANAGER: (
            "assets:read products:read products:write products:approve reports:read approvals:read approvals:write "
            "approvals:decide"
        ),
        Role.PARTNER: (
            "assets:read accounts:read entries:read holds:read holds:write products:read payments:read payments:write "
            "events:read"
        ),
        Role.AUDITOR: _EVERY_READ,
        # Sets a branch up and its limits, and handles no cash: no limit is passed by raising it.
        Role.ADMINISTRATOR: (
            "assets:read assets:write branch:read branch:manage webhooks:read approvals:read approvals:write "
            "approvals:decide keys:write roles:grant"
        ),
    }.items()
}
