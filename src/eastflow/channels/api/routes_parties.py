"""`/v1/parties` and `/v1/roles`: who the bank's customers are, and what they may do with which account."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct, convert

from eastflow import customers
from eastflow.customers import CustomersRefusal, PartyKind, RoleKind, actions
from eastflow.kernel import Refusal
from eastflow.ledger import LedgerRefusal, accounts
from eastflow.storage import Transaction

from . import wire
from .keys import Scope
from .operation import Answer, Call, Operation
from .refusals import ApiRefusal

ID = "019b8f2e-7c00-7000-8000-0000000000bb"
EXAMPLE = {
    "id": ID, "kind": "person", "name": "Li Na", "opened_on": "2026-01-05", "born_on": "1990-05-01",
    "reference": "crm:1", "details": {},
}  # fmt: skip
SHOWN_EXAMPLE = EXAMPLE | {"masked": False, "erased": False}
ROLE_EXAMPLE = {"party": ID, "account": 1001, "kind": "owner", "since": "2026-01-05", "until": None}


class NewParty(Struct, frozen=True, forbid_unknown_fields=True):
    """`id` makes registering idempotent; `reference` is the customer's number in another system."""

    id: UUID
    kind: PartyKind
    name: Annotated[str, Meta(min_length=1, max_length=customers.NAME_CHARACTERS_MAX)]
    opened_on: date
    born_on: date | None = None
    reference: Annotated[str, Meta(min_length=1, max_length=customers.REFERENCE_CHARACTERS_MAX)] | None = None
    details: wire.Details = {}


class NewRole(Struct, frozen=True, forbid_unknown_fields=True):
    """What a party may be to an account from `since` on, until the day `until` (excluded)."""

    party: UUID
    account: wire.AccountNumber
    kind: RoleKind
    since: date
    until: date | None = None


class Party(Struct, frozen=True):
    """Where `masked`, only so much is shown as tells two parties apart; the rest needs the scope `parties:personal`. Of
    one that was `erased` nothing personal is left."""

    id: UUID
    kind: PartyKind
    name: str
    opened_on: date
    born_on: date | None
    reference: str | None
    details: dict[str, str]
    masked: bool
    erased: bool


class Role(Struct, frozen=True):
    party: UUID
    account: int
    kind: RoleKind
    since: date
    until: date | None


class PartyWithRoles(Struct, frozen=True):
    party: Party
    roles: list[Role]


class PartyPage(Struct, frozen=True):
    parties: list[Party]
    cursor: str | None


class RoleEnd(Struct, frozen=True, forbid_unknown_fields=True):
    """The role that began on `since` ends: `until` is the first day without it."""

    party: UUID
    account: wire.AccountNumber
    kind: RoleKind
    since: date
    until: date


class OneParty(Struct, frozen=True, forbid_unknown_fields=True):
    party: UUID


class PartyList(Struct, frozen=True, forbid_unknown_fields=True):
    """A cursor keeps the filter of its first page."""

    name: wire.QueryText | None = None
    limit: wire.Limit = 100
    cursor: wire.Cursor | None = None


class _Place(Struct, frozen=True):
    after: UUID
    name: str | None


async def register(call: Call) -> Answer | Refusal:
    new = convert(call.body, customers.Party, from_attributes=True)

    async def work(tx: Transaction) -> customers.Party | Refusal:
        return await actions.register_party(tx, new, today=lambda: call.today)

    answer = await call.database.run(work)
    return answer if isinstance(answer, Refusal) else Answer(shown_party(answer, call))


async def read_one(call: Call) -> Answer | Refusal:
    id: UUID = call.parameters.party
    async with call.database.reading() as tx:
        found = await customers.party(tx, id)
        if found is None:
            return Refusal(CustomersRefusal.PARTY_NOT_FOUND, {"id": id})
        roles = await customers.roles_of_party(tx, id)
    return Answer(PartyWithRoles(shown_party(found, call), [_role(role) for role in roles]))


async def list_page(call: Call) -> Answer | Refusal:
    asked: PartyList = call.parameters
    after, name = None, asked.name
    if asked.cursor is not None:
        place = wire.read_cursor(asked.cursor, _Place)
        after, name = place.after, place.name
    async with call.database.reading() as tx:
        found = await customers.parties_page(tx, after=after, limit=asked.limit + 1, name=name)
    shown = found[: asked.limit]
    following = wire.cursor_of(_Place(shown[-1].id, name)) if len(found) > asked.limit else None
    return Answer(PartyPage([shown_party(party, call) for party in shown], following))


async def grant(call: Call) -> Answer | Refusal:
    new = convert(call.body, customers.Role, from_attributes=True)

    async def work(tx: Transaction) -> customers.Role | Refusal:
        # Customers know accounts by number only; that there is one is for their caller to see to.
        if not await accounts(tx, [new.account]):
            return Refusal(LedgerRefusal.ACCOUNT_NOT_FOUND, {"account": new.account})
        return await actions.grant_role(tx, new)

    answer = await call.database.run(work)
    return answer if isinstance(answer, Refusal) else Answer(_role(answer))


async def end_role(call: Call) -> Answer | Refusal:
    asked: RoleEnd = call.body

    async def work(tx: Transaction) -> customers.Role | Refusal:
        return await actions.end_role(tx, asked.party, asked.account, asked.kind, since=asked.since, until=asked.until)

    answer = await call.database.run(work)
    return answer if isinstance(answer, Refusal) else Answer(_role(answer))


def may_see(call: Call) -> bool:
    """Whether who asks may see personal data."""
    return Scope.PARTIES_PERSONAL in call.key.scopes


def shown_party(party: customers.Party, call: Call) -> Party:
    """As who asks may see it."""
    open_to_all = may_see(call)
    shown = party if open_to_all else customers.masked_party(party)
    return Party(
        shown.id,
        shown.kind,
        shown.name,
        shown.opened_on,
        shown.born_on,
        shown.reference,
        dict(shown.details),
        not open_to_all,
        shown.erased,
    )


def _role(role: customers.Role) -> Role:
    return convert(role, Role, from_attributes=True)


OPERATIONS = (
    Operation(
        "POST", "/v1/parties", "register_party", "Parties", Scope.PARTIES_WRITE, "Register a person or an organisation",
        register, {200: Party}, body=NewParty,
        refusals=(
            CustomersRefusal.TEXT_MALFORMED, CustomersRefusal.DETAILS_TOO_LARGE, CustomersRefusal.PARTY_ID_REUSED,
            CustomersRefusal.REFERENCE_TAKEN, CustomersRefusal.BORN_IN_FUTURE, CustomersRefusal.OPENED_IN_FUTURE,
        ),
        description="Registering the same again answers with the party.",
        body_example=EXAMPLE, answer_example=SHOWN_EXAMPLE,
    ),
    Operation(
        "GET", "/v1/parties", "list_parties", "Parties", Scope.PARTIES_READ, "List the parties", list_page,
        {200: PartyPage}, parameters=PartyList, refusals=(ApiRefusal.CURSOR_MALFORMED,),
        answer_example={"parties": [SHOWN_EXAMPLE], "cursor": None},
    ),
    Operation(
        "GET", "/v1/parties/{party}", "read_party", "Parties", Scope.PARTIES_READ, "Read a party and its roles",
        read_one, {200: PartyWithRoles}, parameters=OneParty, refusals=(CustomersRefusal.PARTY_NOT_FOUND,),
        answer_example={"party": SHOWN_EXAMPLE, "roles": [ROLE_EXAMPLE]}, path_example={"party": ID},
    ),
    Operation(
        "POST", "/v1/roles", "grant_role", "Parties", Scope.PARTIES_WRITE, "Give a party a role on an account", grant,
        {200: Role}, body=NewRole,
        refusals=(
            CustomersRefusal.PERIOD_REVERSED, CustomersRefusal.PARTY_NOT_FOUND, CustomersRefusal.ROLE_EXISTS,
            LedgerRefusal.ACCOUNT_NOT_FOUND,
        ),
        description="Granting the same again answers with the role as it is now.",
        body_example=ROLE_EXAMPLE, answer_example=ROLE_EXAMPLE,
    ),
    Operation(
        "POST", "/v1/roles/end", "end_role", "Parties", Scope.PARTIES_WRITE, "Take a role on an account away", end_role,
        {200: Role}, body=RoleEnd,
        refusals=(
            CustomersRefusal.ACCOUNT_MALFORMED, CustomersRefusal.PERIOD_REVERSED, CustomersRefusal.ROLE_NOT_FOUND,
            CustomersRefusal.ROLE_ENDED,
        ),
        description="Ending it again on the same day changes nothing.",
        body_example=ROLE_EXAMPLE | {"until": "2026-03-01"}, answer_example=ROLE_EXAMPLE | {"until": "2026-03-01"},
    ),
)  # fmt: skip
