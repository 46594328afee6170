"""`/v1/products`: what the bank offers, from a draft to the day it is no longer sold."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct, convert

from eastflow import products
from eastflow.kernel import EXACT_JSON_INTEGER_MAX, Refusal
from eastflow.products import AtMaturity, ProductsRefusal, VersionStatus, actions
from eastflow.storage import Transaction

from . import wire
from .keys import Scope
from .operation import Answer, Call, Operation
from .refusals import ApiRefusal

ID = "019b8f2e-7c00-7000-8000-0000000000cc"
CODE = "cny-term-1y"
TERMS = products.terms_to(products.shipped()[CODE])
EXAMPLE = {
    "id": ID, "code": CODE, "number": 1, "status": "draft", "terms": TERMS, "content_hash": "0" * 64, "author": "ann",
    "drafted_at": "2026-01-05T09:00:00Z", "simulated_at": None, "approved_by": None, "approved_at": None,
    "live_from": None, "launched_by": None, "withdrawn_from": None, "withdrawn_by": None,
}  # fmt: skip
MONTH_EXAMPLE = {
    "until": "2027-01-05", "paid_in_minor": 0, "paid_out_minor": 1_009_500, "interest_minor": 9_500,
    "overdraft_interest_minor": 0, "fees_minor": 0, "balance_minor": 0, "accrued_minor": 0,
}  # fmt: skip
PLAN_EXAMPLE = {"start": "2026-01-05", "years": 1, "deposit_minor": 1_000_000}
MIGRATION_EXAMPLE = {"id": ID, "source": 1, "target": 2, "on": "2026-07-01"}

Code = Annotated[str, Meta(min_length=1, max_length=products.CODE_CHARACTERS_MAX, pattern="^[a-z0-9-]+$")]
Number = Annotated[int, Meta(ge=1, le=products.NUMBER_MAX)]
PlannedMinor = Annotated[int, Meta(ge=-EXACT_JSON_INTEGER_MAX, le=EXACT_JSON_INTEGER_MAX)]


class NewVersion(Struct, frozen=True, forbid_unknown_fields=True):
    """`id` makes drafting idempotent. `terms` are those of a product's file; rates are texts in percent."""

    id: UUID
    terms: dict[str, Any]


class NewPlan(Struct, frozen=True, forbid_unknown_fields=True):
    """A deposit on `start`, `monthly_minor` in (out, if negative) on the same day of each month, then the closing."""

    start: date
    years: Annotated[int, Meta(ge=1, le=products.YEARS_MAX)]
    deposit_minor: PlannedMinor
    monthly_minor: PlannedMinor = 0
    at_maturity: AtMaturity | None = None


class Launch(Struct, frozen=True, forbid_unknown_fields=True):
    """The first day on which it may be opened."""

    live_from: date


class Withdrawal(Struct, frozen=True, forbid_unknown_fields=True):
    """The first day on which it may no longer be opened."""

    on: date


class NewMigration(Struct, frozen=True, forbid_unknown_fields=True):
    """Contracts under the version `source` go on under `target` from the day `on`."""

    id: UUID
    source: Number
    target: Number
    on: date


class Version(Struct, frozen=True):
    id: UUID
    code: str
    number: int
    status: VersionStatus
    terms: dict[str, Any]
    content_hash: str
    author: str
    drafted_at: datetime
    simulated_at: datetime | None
    approved_by: str | None
    approved_at: datetime | None
    live_from: date | None
    launched_by: str | None
    withdrawn_from: date | None
    withdrawn_by: str | None


class VersionList(Struct, frozen=True):
    versions: list[Version]


class ProductPage(Struct, frozen=True):
    """The latest version of each product. `cursor` asks for the next page; null at the end."""

    products: list[Version]
    cursor: str | None


class Month(Struct, frozen=True):
    until: date
    paid_in_minor: int
    paid_out_minor: int
    interest_minor: int
    overdraft_interest_minor: int
    fees_minor: int
    balance_minor: int
    accrued_minor: int


class Simulation(Struct, frozen=True):
    """`version` as it is now that it has been simulated."""

    version: Version
    months: list[Month]
    closed_on: date | None


class Migration(Struct, frozen=True):
    id: UUID
    code: str
    source: int
    target: int
    on: date
    planned_by: str
    completed_at: datetime | None


class MigrationList(Struct, frozen=True):
    migrations: list[Migration]


class OneProduct(Struct, frozen=True, forbid_unknown_fields=True):
    code: Code


class LiveAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """`day` is the business date unless given."""

    code: Code
    day: date | None = None


class OneVersion(Struct, frozen=True, forbid_unknown_fields=True):
    code: Code
    number: Number


class ProductList(Struct, frozen=True, forbid_unknown_fields=True):
    limit: wire.Limit = 100
    cursor: wire.Cursor | None = None


class _Place(Struct, frozen=True):
    after: str


async def draft(call: Call) -> Answer | Refusal:
    terms = products.terms_from(call.body.terms)
    if isinstance(terms, Refusal):
        return terms
    return await _changed(call, lambda tx: actions.draft_version(tx, call.body.id, terms, by=call.actor))


async def simulate(call: Call) -> Answer | Refusal:
    asked: OneVersion = call.parameters
    plan = convert(call.body, products.Plan, from_attributes=True)
    if refusal := wire.check_years(plan.start):
        return refusal

    async def work(tx: Transaction) -> tuple[products.Version, products.Simulation] | Refusal:
        return await actions.simulate_version(tx, asked.code, asked.number, plan)

    answer = await call.database.run(work)
    if isinstance(answer, Refusal):
        return answer
    version, found = answer
    months = [convert(month, Month, from_attributes=True) for month in found.months]
    return Answer(Simulation(_version(version), months, found.closed_on))


async def approve(call: Call) -> Answer | Refusal:
    asked: OneVersion = call.parameters
    return await _changed(call, lambda tx: actions.approve_version(tx, asked.code, asked.number, by=call.actor))


async def launch(call: Call) -> Answer | Refusal:
    asked: OneVersion = call.parameters
    return await _changed(
        call,
        lambda tx: actions.launch_version(
            tx, asked.code, asked.number, live_from=call.body.live_from, by=call.actor, today=call.today
        ),
    )


async def withdraw(call: Call) -> Answer | Refusal:
    asked: OneVersion = call.parameters
    return await _changed(
        call,
        lambda tx: actions.withdraw_version(
            tx, asked.code, asked.number, on=call.body.on, by=call.actor, today=call.today
        ),
    )


async def list_page(call: Call) -> Answer | Refusal:
    asked: ProductList = call.parameters
    after = None if asked.cursor is None else wire.read_cursor(asked.cursor, _Place).after
    async with call.database.reading() as tx:
        found = await products.products_page(tx, after=after, limit=asked.limit + 1)
    shown = found[: asked.limit]
    following = wire.cursor_of(_Place(shown[-1].code)) if len(found) > asked.limit else None
    return Answer(ProductPage([_version(each) for each in shown], following))


async def read_product(call: Call) -> Answer | Refusal:
    async with call.database.reading() as tx:
        found = await products.versions(tx, call.parameters.code)
    if not found:
        return Refusal(ProductsRefusal.VERSION_NOT_FOUND, {"code": call.parameters.code, "number": 1})
    return Answer(VersionList([_version(each) for each in found]))


async def read_live(call: Call) -> Answer | Refusal:
    asked: LiveAsked = call.parameters
    day = asked.day or call.today
    async with call.database.reading() as tx:
        found = await products.version_live_on(tx, asked.code, day)
    if found is None:
        return Refusal(ProductsRefusal.VERSION_NOT_FOUND, {"code": asked.code, "day": day})
    return Answer(_version(found))


async def plan_migration(call: Call) -> Answer | Refusal:
    new: NewMigration = call.body
    plan = products.Migration(new.id, call.parameters.code, new.source, new.target, new.on, call.actor)

    async def work(tx: Transaction) -> products.Migration | Refusal:
        return await actions.plan_migration(tx, plan, today=call.today)

    answer = await call.database.run(work)
    return answer if isinstance(answer, Refusal) else Answer(_migration(answer))


async def list_migrations(call: Call) -> Answer | Refusal:
    async with call.database.reading() as tx:
        found = await products.migrations(tx, call.parameters.code)
    return Answer(MigrationList([_migration(each) for each in found]))


async def _changed(
    call: Call, work: Callable[[Transaction], Awaitable[products.Version | Refusal]]
) -> Answer | Refusal:
    answer = await call.database.run(work)
    return answer if isinstance(answer, Refusal) else Answer(_version(answer))


def _version(found: products.Version) -> Version:
    fields = {name: getattr(found, name) for name in Version.__struct_fields__}
    return Version(**fields | {"terms": products.terms_to(found.terms)})


def _migration(found: products.Migration) -> Migration:
    return convert(found, Migration, from_attributes=True)


_ONE = {"code": CODE, "number": 1}
_VERSION_REFUSALS = (ProductsRefusal.VERSION_NOT_FOUND, ProductsRefusal.STATUS_UNFIT)

OPERATIONS = (
    Operation(
        "POST", "/v1/products", "draft_product", "Products", Scope.PRODUCTS_WRITE, "Draft a version of a product",
        draft, {200: Version}, body=NewVersion,
        refusals=(
            ProductsRefusal.TERMS_MALFORMED, ProductsRefusal.VERSION_ID_REUSED, ProductsRefusal.KIND_CHANGED,
        ),
        description="A further version of the product that the terms name. The same again answers with it as it is.",
        body_example={"id": ID, "terms": TERMS}, answer_example=EXAMPLE,
    ),
    Operation(
        "GET", "/v1/products", "list_products", "Products", Scope.PRODUCTS_READ, "List the products", list_page,
        {200: ProductPage}, parameters=ProductList, refusals=(ApiRefusal.CURSOR_MALFORMED,),
        answer_example={"products": [EXAMPLE], "cursor": None},
    ),
    Operation(
        "GET", "/v1/products/{code}", "read_product", "Products", Scope.PRODUCTS_READ, "Read a product's versions",
        read_product, {200: VersionList}, parameters=OneProduct, refusals=(ProductsRefusal.VERSION_NOT_FOUND,),
        answer_example={"versions": [EXAMPLE]}, path_example={"code": CODE},
    ),
    Operation(
        "GET", "/v1/products/{code}/live", "read_live_product", "Products", Scope.PRODUCTS_READ,
        "Read the version that may be opened on a day", read_live, {200: Version}, parameters=LiveAsked,
        refusals=(ProductsRefusal.VERSION_NOT_FOUND,), answer_example=EXAMPLE, path_example={"code": CODE},
    ),
    Operation(
        "POST", "/v1/products/{code}/versions/{number}/simulation", "simulate_product", "Products",
        Scope.PRODUCTS_WRITE, "Run a version over years to come", simulate, {200: Simulation}, parameters=OneVersion,
        body=NewPlan,
        refusals=(
            *_VERSION_REFUSALS, ProductsRefusal.MATURITY_CHOICE_UNKNOWN, ProductsRefusal.OPERATION_NOT_OFFERED,
            ProductsRefusal.AMOUNT_BELOW_MINIMUM, ProductsRefusal.BALANCE_ABOVE_MAXIMUM,
            ProductsRefusal.BALANCE_INSUFFICIENT, ProductsRefusal.BALANCE_BELOW_FLOOR,
        ),
        description="Nothing is posted. A draft has then been simulated, and may be approved.",
        body_example=PLAN_EXAMPLE, path_example=_ONE,
        answer_example={"version": EXAMPLE, "months": [MONTH_EXAMPLE], "closed_on": "2027-01-05"},
    ),
    Operation(
        "POST", "/v1/products/{code}/versions/{number}/approval", "approve_product", "Products",
        Scope.PRODUCTS_APPROVE, "Approve a version", approve, {200: Version}, parameters=OneVersion,
        refusals=(*_VERSION_REFUSALS, ProductsRefusal.APPROVED_BY_AUTHOR),
        description="By another person than its author.", answer_example=EXAMPLE, path_example=_ONE,
    ),
    Operation(
        "POST", "/v1/products/{code}/versions/{number}/launch", "launch_product", "Products", Scope.PRODUCTS_WRITE,
        "Launch a version from a day on", launch, {200: Version}, parameters=OneVersion, body=Launch,
        refusals=(*_VERSION_REFUSALS, ProductsRefusal.DAY_IN_PAST, ProductsRefusal.DAY_TAKEN),
        description="The version that was live before is superseded on that day.",
        body_example={"live_from": "2026-02-01"}, answer_example=EXAMPLE, path_example=_ONE,
    ),
    Operation(
        "POST", "/v1/products/{code}/versions/{number}/withdrawal", "withdraw_product", "Products",
        Scope.PRODUCTS_WRITE, "Withdraw a version from a day on", withdraw, {200: Version}, parameters=OneVersion,
        body=Withdrawal, refusals=(*_VERSION_REFUSALS, ProductsRefusal.DAY_IN_PAST),
        description="No contract is opened under it from then on; those there are go on.",
        body_example={"on": "2026-12-31"}, answer_example=EXAMPLE, path_example=_ONE,
    ),
    Operation(
        "POST", "/v1/products/{code}/migrations", "plan_migration", "Products", Scope.PRODUCTS_WRITE,
        "Plan that contracts go on under another version", plan_migration, {200: Migration}, parameters=OneProduct,
        body=NewMigration,
        refusals=(
            ProductsRefusal.MIGRATION_ID_REUSED, ProductsRefusal.VERSION_NOT_FOUND, ProductsRefusal.DAY_IN_PAST,
            ProductsRefusal.MIGRATION_UNFIT,
        ),
        body_example=MIGRATION_EXAMPLE, path_example={"code": CODE},
        answer_example=MIGRATION_EXAMPLE | {"code": CODE, "planned_by": "ann", "completed_at": None},
    ),
    Operation(
        "GET", "/v1/products/{code}/migrations", "list_migrations", "Products", Scope.PRODUCTS_READ,
        "List a product's plans", list_migrations, {200: MigrationList}, parameters=OneProduct,
        answer_example={
            "migrations": [MIGRATION_EXAMPLE | {"code": CODE, "planned_by": "ann", "completed_at": None}]
        },
        path_example={"code": CODE},
    ),
)  # fmt: skip
