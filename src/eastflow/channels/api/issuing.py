"""Who may make which key: for oneself out of what one holds; for anybody else by a proposal that a second approves."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from eastflow.kernel import Refusal
from eastflow.operations import (
    KINDS,
    Approved,
    Kind,
    NewProposal,
    OperationsRefusal,
    Proposal,
    Role,
    make_proposal,
)
from eastflow.storage import Clock, Transaction, now

from . import keys, store
from .keys import COMMAND_LINE, ApiKey, By, Scope, scopes_of
from .refusals import ApiRefusal

ADMINISTRATORS_NEEDED = 2
POWERLESS = "a key needs a scope or a role"
KeyName = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]


class KeyGrant(Struct, frozen=True, forbid_unknown_fields=True):
    """A key with any scopes and roles, for any actor; it opens to the end of `expires_on`."""

    name: KeyName
    actor: KeyName
    scopes: list[Scope] = []
    roles: list[Role] = []
    expires_on: date | None = None


async def caller_of(tx: Transaction, secret: str | None, scope: Scope) -> ApiKey | Refusal:
    """The key that this secret opens, if it has the scope."""
    if secret is None:
        return Refusal(ApiRefusal.KEY_MISSING)
    found = await keys.find_key(tx, secret.encode())
    if found is None:
        return Refusal(ApiRefusal.KEY_UNKNOWN)
    return found if scope in found.scopes else Refusal(ApiRefusal.SCOPE_MISSING, {"scope": scope.value})


async def make_key(
    tx: Transaction,
    caller: ApiKey | None,
    name: str,
    scopes: Collection[Scope],
    *,
    roles: Collection[Role] = (),
    actor: str | None = None,
    expires_on: date | None = None,
    clock: Clock = now,
) -> tuple[ApiKey, str] | Refusal:
    """A key for the caller's own actor, with scopes and roles of the caller's key; it expires no later than that.

    Without a caller it is the bank's own machine that asks: any key, until two administrators are there to make them.
    """
    if refusal := _check_rights(caller, scopes, roles, actor) or check_expiry(expires_on, clock()):
        return refusal
    if caller is None:
        if refusal := await check_alone(tx, clock=clock):
            return refusal
        return await keys.create_key(
            tx, name, scopes, roles=roles, held_by=actor, expires_on=expires_on, by=COMMAND_LINE, clock=clock
        )
    by = By(caller.actor, caller.id)
    if caller.expires_on is not None:
        expires_on = min(expires_on or caller.expires_on, caller.expires_on)
    return await keys.create_key(
        tx, name, scopes, roles=roles, held_by=caller.actor, expires_on=expires_on, by=by, clock=clock
    )


async def check_alone(tx: Transaction, *, clock: Clock = now) -> Refusal | None:
    """The machine makes keys by itself only while there are not two people who could."""
    if await store.holders_of(tx, Role.ADMINISTRATOR.value, clock().date()) < ADMINISTRATORS_NEEDED:
        return None
    return Refusal(ApiRefusal.SECOND_PERSON_NEEDED)


async def propose_key(
    tx: Transaction, caller: ApiKey, id: UUID, grant: KeyGrant, reason: str, *, clock: Clock = now
) -> Proposal | Refusal:
    """`id` is the proposal's and becomes the key's. The caller holds `roles:grant`."""
    if refusal := check_expiry(grant.expires_on, clock()):
        return refusal
    if not grant.scopes and not grant.roles:
        return Refusal(OperationsRefusal.PAYLOAD_MALFORMED, {"reason": POWERLESS})
    payload = msgspec.to_builtins(grant)
    return await make_proposal(
        tx, NewProposal(id, KEY_GRANT.name, payload, caller.actor, reason), clock=clock, kinds=KEY_KINDS
    )


def check_expiry(expires_on: date | None, at: datetime) -> Refusal | None:
    if expires_on is not None and expires_on < at.date():
        return Refusal(ApiRefusal.EXPIRY_IN_PAST, {"expires_on": expires_on})
    return None


def _check_rights(
    caller: ApiKey | None, scopes: Collection[Scope], roles: Collection[Role], actor: str | None
) -> Refusal | None:
    if caller is None:
        return None
    if extra := set(scopes) - caller.scopes:
        names = ", ".join(sorted(scope.value for scope in extra))
        return Refusal(ApiRefusal.SCOPE_NOT_HELD, {"scopes": names})
    if beyond := set(roles) - caller.roles:
        names = ", ".join(sorted(role.value for role in beyond))
        return Refusal(ApiRefusal.ROLE_NOT_HELD, {"roles": names})
    return None if actor in (None, caller.actor) else Refusal(ApiRefusal.SECOND_PERSON_NEEDED)


async def _grant(tx: Transaction, asked: KeyGrant, approved: Approved) -> dict[str, str] | Refusal:
    if refusal := check_expiry(asked.expires_on, approved.at):
        return refusal
    if not isinstance(await keys.read_key(tx, approved.id), Refusal):
        return Refusal(OperationsRefusal.PROPOSAL_ID_REUSED, {"id": approved.id})
    key = ApiKey(
        approved.id,
        asked.name,
        frozenset(asked.scopes) | scopes_of(asked.roles),
        approved.at,
        roles=frozenset(asked.roles),
        held_by=asked.actor,
        made_by=By(approved.maker),
        approved_by=approved.checker,
        expires_on=asked.expires_on,
    )
    await keys.grant_key(tx, key, asked.scopes)
    return {"key": str(approved.id)}


KEY_GRANT = Kind("key_grant", KeyGrant, frozenset({Role.ADMINISTRATOR}), _grant)
KEY_KINDS = {KEY_GRANT.name: KEY_GRANT}
KINDS_WITH_KEYS = KINDS | KEY_KINDS
