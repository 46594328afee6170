"""`/v1/assets`: what may be counted."""

from __future__ import annotations

from msgspec import Struct

from eastflow import kernel, ledger
from eastflow.kernel import Refusal
from eastflow.ledger import LedgerRefusal, actions
from eastflow.storage import Transaction

from . import wire
from .keys import Scope
from .operation import Answer, Call, Operation


class OneAsset(Struct, frozen=True, forbid_unknown_fields=True):
    code: wire.AssetCode


async def define(call: Call) -> Answer | Refusal:
    asset = kernel.Asset(call.parameters.code, call.body.scale)

    async def work(tx: Transaction) -> kernel.Asset | Refusal:
        return await actions.define_asset(tx, asset)

    defined = await call.database.run(work)
    return defined if isinstance(defined, Refusal) else Answer(wire.Asset(defined.code, defined.scale))


async def list_all(call: Call) -> Answer | Refusal:
    async with call.database.reading() as tx:
        found = await ledger.assets(tx)
    return Answer([wire.Asset(asset.code, asset.scale) for asset in found])


OPERATIONS = (
    Operation(
        "PUT",
        "/v1/assets/{code}",
        "define_asset",
        "Assets",
        Scope.ASSETS_WRITE,
        "Define a currency or a token",
        define,
        {200: wire.Asset},
        parameters=OneAsset,
        body=wire.NewAsset,
        refusals=(LedgerRefusal.ASSET_MALFORMED, LedgerRefusal.ASSET_SCALE_DIFFERS),
        description="Defining the same again changes nothing. A code of ISO 4217 keeps the standard's decimals.",
        body_example={"scale": 2},
        answer_example={"code": "CZK", "scale": 2},
        path_example={"code": "CZK"},
    ),
    Operation(
        "GET",
        "/v1/assets",
        "list_assets",
        "Assets",
        Scope.ASSETS_READ,
        "List the assets",
        list_all,
        {200: list[wire.Asset]},
        answer_example=[{"code": "CZK", "scale": 2}],
    ),
)
