"""`/v1/onboarding` and `/v1/applications`: journeys over several rooms, in one request or from channel to channel."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID
from weakref import WeakKeyDictionary

from msgspec import Meta, Struct, convert

from eastflow import customers, flows
from eastflow.customers import Channel, CustomersRefusal
from eastflow.deposits import DepositsRefusal
from eastflow.flows import ApplicationStatus, FlowsRefusal, StepKind, actions
from eastflow.kernel import Refusal, RefusalCode
from eastflow.products import ProductsRefusal
from eastflow.storage import Database, Transaction

from . import routes_branch, routes_customers, routes_parties, wire, wire_branch
from .keys import Scope
from .operation import REPLAYED, Answer, Call, Operation
from .refusals import ApiRefusal

ID = "019b8f2e-7c00-7000-8000-0000000000f1"
PARTY = routes_parties.ID
ONBOARDED_EXAMPLE = {"id": ID, "party": PARTY, "account": 100000000000008, "asset": "CNY", "amount_minor": 10000}
PARTS_EXAMPLE = {"party": PARTY, "product": "cny-demand", "branch": "north", "amount_minor": 50000}
APPLICATION_EXAMPLE = {
    "id": ID, "reference": 1234567897, "parts": PARTS_EXAMPLE, "missing": [], "begun_at": "2026-01-05T08:00:00Z",
    "expires_on": "2026-02-04", "status": "open", "account": None,
}  # fmt: skip
STEP_EXAMPLE = {
    "number": 1, "kind": "begun", "channel": "app", "by": "key of the app", "at": "2026-01-05T08:00:00Z",
    "parts": ["party", "product"],
}  # fmt: skip
DOCUMENT_EXAMPLE = {"kind": "passport", "number": "E12345678", "country": "CN"}

Product = Annotated[str, Meta(min_length=1, max_length=64, extra_json_schema={"examples": ["cny-demand"]})]


class NewCustomer(Struct, frozen=True, forbid_unknown_fields=True):
    """`id` makes onboarding idempotent. `amount_minor` has come from another bank, by this bank's clearing account: to
    say so takes a key with `flows:fund`. At a branch the first money is cash, paid in at the counter."""

    id: UUID
    party: routes_parties.NewParty
    product: Product
    amount_minor: wire.Minor = 0
    channel: Channel = Channel.API


class Onboarded(Struct, frozen=True):
    id: UUID
    party: UUID
    account: int
    asset: str
    amount_minor: int


class Parts(Struct, frozen=True, forbid_unknown_fields=True):
    """What is left out is not given. The customer is told by `party`, or by a `document` that is known of them."""

    party: UUID | None = None
    document: routes_customers.Document | None = None
    product: Product | None = None
    branch: wire_branch.Code | None = None
    amount_minor: wire.Minor | None = None


class NewApplication(Struct, frozen=True, forbid_unknown_fields=True):
    id: UUID
    channel: Channel
    parts: Parts = Parts()


class MoreParts(Struct, frozen=True, forbid_unknown_fields=True):
    channel: Channel
    parts: Parts


class InChannel(Struct, frozen=True, forbid_unknown_fields=True):
    channel: Channel


class AtCounter(Struct, frozen=True, forbid_unknown_fields=True):
    """`voucher` is the id of the cash that is paid in."""

    voucher: UUID
    session: UUID
    cash: wire_branch.Cash
    identification_seen: bool = False


class KnownParts(Struct, frozen=True):
    party: UUID | None
    product: str | None
    branch: str | None
    amount_minor: int | None


class Application(Struct, frozen=True):
    """`reference` is what the customer is told; `missing` what it still needs."""

    id: UUID
    reference: int
    parts: KnownParts
    missing: list[str]
    begun_at: datetime
    expires_on: date
    status: ApplicationStatus
    account: int | None


class Step(Struct, frozen=True):
    number: int
    kind: StepKind
    channel: Channel
    by: str
    at: datetime
    parts: list[str]


class ApplicationWithSteps(Struct, frozen=True):
    application: Application
    steps: list[Step]


class ApplicationList(Struct, frozen=True):
    applications: list[Application]


class Finished(Struct, frozen=True):
    application: Application
    voucher: wire_branch.Voucher


class OneApplication(Struct, frozen=True, forbid_unknown_fields=True):
    application: UUID


class Wanted(Struct, frozen=True, forbid_unknown_fields=True):
    """By one of the three."""

    reference: Annotated[int, Meta(ge=1)] | None = None
    party: UUID | None = None
    document: routes_customers.Document | None = None


_receptions: WeakKeyDictionary[Database, actions.Reception] = WeakKeyDictionary()


async def onboard(call: Call) -> Answer | Refusal:
    new: NewCustomer = call.body
    if new.amount_minor and Scope.FLOWS_FUND not in call.key.scopes:
        return Refusal(ApiRefusal.SCOPE_MISSING, {"scope": Scope.FLOWS_FUND.value})
    party = convert(new.party, customers.Party, from_attributes=True)
    asked = flows.Onboarding(new.id, party, new.product, new.amount_minor, new.channel, call.actor)
    answer = await _reception(call).onboard(asked)
    if isinstance(answer, Refusal):
        return answer
    shown = Onboarded(answer.id, answer.party, answer.account, answer.asset, answer.amount_minor)
    return Answer(shown, headers=REPLAYED) if answer.replayed else Answer(shown, 201)


async def begin(call: Call) -> Answer | Refusal:
    new: NewApplication = call.body

    async def work(tx: Transaction) -> flows.Application | Refusal:
        parts = await _parts(tx, new.parts)
        if isinstance(parts, Refusal):
            return parts
        return await actions.begin_application(tx, new.id, parts, channel=new.channel, **_acting(call))

    return await _ran(call, work)


async def supply(call: Call) -> Answer | Refusal:
    id, more = call.parameters.application, call.body

    async def work(tx: Transaction) -> flows.Application | Refusal:
        parts = await _parts(tx, more.parts)
        if isinstance(parts, Refusal):
            return parts
        return await actions.supply_parts(tx, id, parts, channel=more.channel, **_acting(call))

    return await _ran(call, work)


async def complete(call: Call) -> Answer | Refusal:
    id, channel = call.parameters.application, call.body.channel
    return await _ran(call, lambda tx: actions.complete_application(tx, id, channel=channel, **_acting(call)))


async def withdraw(call: Call) -> Answer | Refusal:
    id, channel = call.parameters.application, call.body.channel
    return await _ran(call, lambda tx: actions.withdraw_application(tx, id, channel=channel, **_acting(call)))


async def finish(call: Call) -> Answer | Refusal:
    id, told = call.parameters.application, call.body
    answer = await call.database.run(
        lambda tx: actions.finish_at_counter(
            tx, id, voucher=told.voucher, session=told.session, cash=wire_branch.cash(told.cash),
            identification_seen=told.identification_seen, **_acting(call),
        )
    )  # fmt: skip
    if isinstance(answer, Refusal):
        return answer
    voucher = wire_branch.voucher_of(answer.voucher, call.engine.clock())
    return Answer(Finished(_application(answer.application, call.today), voucher))


async def read_one(call: Call) -> Answer | Refusal:
    id: UUID = call.parameters.application
    async with call.database.reading() as tx:
        found = await flows.application(tx, id)
        if found is None:
            return Refusal(FlowsRefusal.APPLICATION_NOT_FOUND, {"application": id})
        steps = await flows.steps(tx, id)
    shown = [convert(step, Step, from_attributes=True) for step in steps]
    return Answer(ApplicationWithSteps(_application(found, call.today), shown))


async def find(call: Call) -> Answer | Refusal:
    """A search that is sent as a body, so that no document's number stands in an address."""
    wanted: Wanted = call.body
    async with call.database.reading() as tx:
        if wanted.reference is not None:
            one = await flows.application_by_reference(tx, wanted.reference)
            found = [] if one is None else [one]
        else:
            parts = await _parts(tx, Parts(party=wanted.party, document=wanted.document))
            if isinstance(parts, Refusal):
                return parts
            found = [] if parts.party is None else await flows.applications_of_party(tx, parts.party, limit=100)
    return Answer(ApplicationList([_application(each, call.today) for each in found]))


async def _ran(call: Call, work: Callable[[Transaction], Awaitable[flows.Application | Refusal]]) -> Answer | Refusal:
    answer = await call.database.run(work)
    return answer if isinstance(answer, Refusal) else Answer(_application(answer, call.today))


async def _parts(tx: Transaction, given: Parts) -> flows.Parts | Refusal:
    """With the customer that the document is of."""
    party = given.party
    if given.document is not None:
        shown = given.document
        found = await customers.party_by_document(tx, shown.kind, shown.number, shown.country)
        if found is None:
            return Refusal(FlowsRefusal.CUSTOMER_NOT_FOUND, {"party": None})
        if party not in (None, found.id):
            return Refusal(FlowsRefusal.CUSTOMER_DIFFERS, {"application": None})
        party = found.id
    return flows.Parts(party, given.product, given.branch, given.amount_minor)


def _reception(call: Call) -> actions.Reception:
    """One for each bank that this process serves."""
    if call.database not in _receptions:
        _receptions[call.database] = actions.Reception(call.database, call.engine.today, clock=call.engine.clock)
    return _receptions[call.database]


def _acting(call: Call) -> dict[str, Any]:
    return {"today": call.today, "by": call.actor, "clock": call.engine.clock}


def _application(found: flows.Application, today: date) -> Application:
    return Application(
        found.id,
        found.reference,
        convert(found.parts, KnownParts, from_attributes=True),
        list(found.missing),
        found.begun_at,
        found.expires_on,
        found.status_on(today),
        found.account,
    )


_OPENING: tuple[RefusalCode, ...] = (
    DepositsRefusal.PRODUCT_NOT_FOUND, ProductsRefusal.PARTY_NOT_ELIGIBLE, ProductsRefusal.CHANNEL_NOT_ELIGIBLE,
)  # fmt: skip
_STEP = (
    FlowsRefusal.APPLICATION_NOT_FOUND, FlowsRefusal.APPLICATION_ENDED, FlowsRefusal.APPLICATION_EXPIRED,
)  # fmt: skip
_GIVEN = (
    FlowsRefusal.TEXT_MALFORMED, FlowsRefusal.AMOUNT_MALFORMED, FlowsRefusal.CUSTOMER_NOT_FOUND,
    FlowsRefusal.CUSTOMER_DIFFERS, FlowsRefusal.PRODUCT_NOT_FOUND, FlowsRefusal.BRANCH_NOT_FOUND,
)  # fmt: skip
_READ, _WRITE = Scope.FLOWS_READ, Scope.FLOWS_WRITE

OPERATIONS = (
    Operation(
        "POST", "/v1/onboarding", "onboard", "Flows", _WRITE, "Take on a customer: party, account and first deposit",
        onboard, {201: Onboarded, 200: Onboarded}, body=NewCustomer,
        refusals=(
            CustomersRefusal.TEXT_MALFORMED, CustomersRefusal.DETAILS_TOO_LARGE, CustomersRefusal.PARTY_ID_REUSED,
            CustomersRefusal.REFERENCE_TAKEN, CustomersRefusal.BORN_IN_FUTURE, CustomersRefusal.OPENED_IN_FUTURE,
            FlowsRefusal.TEXT_MALFORMED, FlowsRefusal.AMOUNT_MALFORMED, FlowsRefusal.ONBOARDING_ID_REUSED,
            DepositsRefusal.REQUEST_ID_REUSED, *_OPENING, ProductsRefusal.AMOUNT_BELOW_MINIMUM,
            ProductsRefusal.BALANCE_ABOVE_MAXIMUM,
        ),
        description="All in one transaction, or nothing; the same again as before. An amount needs `flows:fund`.",
        body_example={
            "id": ID, "party": routes_parties.EXAMPLE, "product": "cny-demand", "amount_minor": 10000,
            "channel": "app",
        },
        answer_example=ONBOARDED_EXAMPLE,
    ),
    Operation(
        "POST", "/v1/applications", "begin_application", "Flows", _WRITE, "Begin an application to open an account",
        begin, {200: Application}, body=NewApplication, refusals=(FlowsRefusal.APPLICATION_ID_REUSED, *_GIVEN),
        description="With what is known by now; it goes on in any channel for 30 days after its last step.",
        body_example={"id": ID, "channel": "app", "parts": {"product": "cny-demand"}},
        answer_example=APPLICATION_EXAMPLE,
    ),
    Operation(
        "POST", "/v1/applications/find", "find_applications", "Flows", _READ,
        "Find applications by reference, party or document", find, {200: ApplicationList}, body=Wanted,
        refusals=(FlowsRefusal.CUSTOMER_NOT_FOUND, FlowsRefusal.CUSTOMER_DIFFERS),
        body_example={"document": DOCUMENT_EXAMPLE}, answer_example={"applications": [APPLICATION_EXAMPLE]},
    ),
    Operation(
        "GET", "/v1/applications/{application}", "read_application", "Flows", _READ,
        "Read an application and its steps", read_one, {200: ApplicationWithSteps}, parameters=OneApplication,
        refusals=(FlowsRefusal.APPLICATION_NOT_FOUND,),
        answer_example={"application": APPLICATION_EXAMPLE, "steps": [STEP_EXAMPLE]},
        path_example={"application": ID},
    ),
    Operation(
        "POST", "/v1/applications/{application}/parts", "supply_parts", "Flows", _WRITE,
        "Give further parts of an application", supply, {200: Application}, parameters=OneApplication, body=MoreParts,
        refusals=(*_STEP, *_GIVEN), body_example={"channel": "branch", "parts": PARTS_EXAMPLE},
        answer_example=APPLICATION_EXAMPLE, path_example={"application": ID},
    ),
    Operation(
        "POST", "/v1/applications/{application}/complete", "complete_application", "Flows", _WRITE,
        "Open the account that was applied for", complete, {200: Application}, parameters=OneApplication,
        body=InChannel, refusals=(*_STEP, FlowsRefusal.PARTS_MISSING, *_OPENING), body_example={"channel": "app"},
        answer_example=APPLICATION_EXAMPLE, path_example={"application": ID},
    ),
    Operation(
        "POST", "/v1/applications/{application}/finish-at-counter", "finish_at_counter", "Flows", Scope.BRANCH_WRITE,
        "Open the account and pay the first cash in", finish, {200: Finished}, parameters=OneApplication,
        body=AtCounter, refusals=(*_STEP, FlowsRefusal.PARTS_MISSING, *_OPENING, *routes_branch.CASH_REFUSALS),
        description="Both or neither. Cash above the branch's limit waits for a supervisor.",
        body_example={
            "voucher": wire_branch.ID, "session": wire_branch.SESSION, "cash": wire_branch.CASH_EXAMPLE,
            "identification_seen": True,
        },
        answer_example={"application": APPLICATION_EXAMPLE, "voucher": wire_branch.VOUCHER_EXAMPLE},
        path_example={"application": ID},
    ),
    Operation(
        "POST", "/v1/applications/{application}/withdraw", "withdraw_application", "Flows", _WRITE,
        "Withdraw an application", withdraw, {200: Application}, parameters=OneApplication, body=InChannel,
        refusals=_STEP, body_example={"channel": "app"}, answer_example=APPLICATION_EXAMPLE,
        path_example={"application": ID},
    ),
)  # fmt: skip
