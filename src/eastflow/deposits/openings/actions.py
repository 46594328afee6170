"""The verbs that open contracts: hundreds at once cost as many statements as one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from eastflow import customers, products
from eastflow.customers import Channel, Party, Role, RoleKind
from eastflow.customers.actions import grant_roles
from eastflow.kernel import Refusal
from eastflow.ledger import Account, Side
from eastflow.ledger.actions import new_account_number, open_accounts
from eastflow.products import Contract, ProductKind, Version
from eastflow.storage import Clock, Retry, Transaction, UniqueViolation, now

from .. import store
from ..books.actions import Refused
from ..decide import apart, check_opening, request_text
from ..model import AccrualRow, Deposit, DepositStatus, Executed, Opening
from ..movements.actions import paid_in
from ..refusals import DepositsRefusal

VERB = "open"
Fresh = Mapping[int, tuple[Opening, Deposit]]
"""Contracts to be written, by the place of their openings."""


class _Declined(Exception):
    """Some of those written together are refused, by their place: nothing that was written may stay."""

    def __init__(self, refusals: Mapping[int, Refusal]) -> None:
        super().__init__(f"{len(refusals)} refused")
        self.refusals = refusals


async def open_deposit(
    tx: Transaction, opening: Opening, *, today: date, channel: Channel, by: str, clock: Clock = now
) -> Executed | Refusal:
    """A contract with the product's live version, on an account of its own that the party owns. With an amount, the
    first money comes in too. The same opening again answers with the contract as it is now."""
    [answer] = await open_deposits(tx, [opening], today=today, channel=channel, by=by, clock=clock)
    return answer


async def open_deposits(
    tx: Transaction, openings: Sequence[Opening], *, today: date, channel: Channel, by: str, clock: Clock = now
) -> list[Executed | Refusal]:
    """Hundreds at once, in order and each by itself: one that is refused does not keep the others from being opened,
    and leaves nothing."""
    answers: dict[int, Executed | Refusal] = {}
    for places in apart(openings):
        some = {place: openings[place] for place in places}
        answers |= await _open_apart(tx, some, today, channel, by, clock)
    return [answers[place] for place in range(len(openings))]


async def _open_apart(
    tx: Transaction, openings: Mapping[int, Opening], today: date, channel: Channel, by: str, clock: Clock
) -> dict[int, Executed | Refusal]:
    answers: dict[int, Executed | Refusal] = {}
    for place, opening in openings.items():
        if refusal := check_opening(opening):
            answers[place] = refusal
    asked = {place: opening for place, opening in openings.items() if place not in answers}
    # Accounts first: each statement sees what was committed before it, so the request of whoever has a contract on one
    # is then found too, and a replay is never taken for a rival.
    taken = await store.with_contract(tx, [each.account for each in asked.values() if each.account is not None])
    answers |= await _opened_before(tx, asked, channel)
    asked = {place: opening for place, opening in asked.items() if place not in answers}
    decided = await _decided(tx, asked, taken, today, channel)
    answers |= {place: answer for place, answer in decided.items() if isinstance(answer, Refusal)}
    fresh = {place: (asked[place], new) for place, new in decided.items() if isinstance(new, Deposit)}
    while fresh:
        try:
            async with tx.savepoint():
                return answers | await _written(tx, fresh, today, channel, by, clock)
        except _Declined as declined:
            answers |= declined.refusals
            fresh = {place: each for place, each in fresh.items() if place not in declined.refusals}
    return answers


async def _opened_before(
    tx: Transaction, asked: Mapping[int, Opening], channel: Channel
) -> dict[int, Executed | Refusal]:
    before = await store.requests(tx, VERB, {each.id: _content(each, channel) for each in asked.values()})
    answers: dict[int, Executed | Refusal] = {}
    for place, opening in asked.items():
        done = before.get(opening.id)
        if isinstance(done, Refusal):
            answers[place] = done
        elif done is not None:
            found = await store.deposit(tx, done[0])
            assert found is not None, "a contract is never removed"
            answers[place] = Executed(opening.id, found, done[1], replayed=True)
    return answers


async def _decided(
    tx: Transaction, asked: Mapping[int, Opening], taken: Collection[int], today: date, channel: Channel
) -> dict[int, Deposit | Refusal]:
    """The contract that each is to be, or why not."""
    if not asked:
        return {}
    parties = await customers.parties(tx, [each.party for each in asked.values()])
    codes = sorted({each.product for each in asked.values()})
    versions = {code: await products.version_live_on(tx, code, today) for code in codes}
    decided: dict[int, Deposit | Refusal] = {}
    for place, opening in asked.items():
        party, version = parties.get(opening.party), versions[opening.product]
        if party is None:
            decided[place] = Refusal(DepositsRefusal.PARTY_NOT_FOUND, {"id": opening.party})
        elif version is None:
            decided[place] = Refusal(DepositsRefusal.PRODUCT_NOT_FOUND, {"product": opening.product})
        elif opening.account in taken:
            decided[place] = Refusal(DepositsRefusal.ACCOUNT_TAKEN, {"account": opening.account})
        else:
            contract = await _begun(tx, opening, party, version, today, channel)
            decided[place] = contract if isinstance(contract, Refusal) else _deposit(opening, version, contract, today)
    return decided


async def _begun(
    tx: Transaction, opening: Opening, party: Party, version: Version, today: date, channel: Channel
) -> Contract | Refusal:
    classed = None if opening.account is None else await customers.class_of_account(tx, opening.account)
    age = None if party.born_on is None else _years(party.born_on, today)
    account_class = None if classed is None else classed.account_class
    if refusal := products.eligibility_refusal(version.terms, party.kind, age, channel, account_class):
        return refusal
    return products.begin(version.terms, today, opening.at_maturity)


def _deposit(opening: Opening, version: Version, contract: Contract, today: date) -> Deposit:
    terms = version.terms
    return Deposit(
        opening.id, opening.account or new_account_number(), opening.party, version.code, version.number,
        terms.asset.code, terms.kind, DepositStatus.OPEN, today, today, opening.nominated, contract,
    )  # fmt: skip


async def _written(
    tx: Transaction, fresh: Fresh, today: date, channel: Channel, by: str, clock: Clock
) -> dict[int, Executed]:
    """Accounts, roles, contracts, the first money, and what was asked. Errors: _Declined."""
    deposits = [deposit for _, deposit in fresh.values()]
    _decline(fresh, await open_accounts(tx, [_account(each, today) for each in deposits], clock=clock))
    owners = [Role(each.party, each.account, RoleKind.OWNER, today) for each in deposits]
    _decline(fresh, await grant_roles(tx, owners, clock=clock))
    try:
        await store.insert_deposits(tx, deposits)
        await store.insert_accruals(tx, await _accruals(tx, deposits))
        done = {
            place: await _with_money(tx, place, opening, deposit, today, channel, clock)
            for place, (opening, deposit) in fresh.items()
        }
        told = [(each.id, _content(each, channel), done[place]) for place, (each, _) in fresh.items()]
        await store.insert_requests(tx, VERB, told, by, clock())
    except UniqueViolation as rival:
        raise Retry("the same was asked, or an account was opened, in the same moment") from rival
    return done


def _decline(fresh: Fresh, answers: Sequence[object]) -> None:
    """Answers in the order of those asked for. Errors: _Declined, if there is a refusal among them."""
    refusals = {place: answer for place, answer in zip(fresh, answers, strict=True) if isinstance(answer, Refusal)}
    if refusals:
        raise _Declined(refusals)


def _account(new: Deposit, today: date) -> Account:
    terms = new.contract.terms
    floor = terms.floor_minor if terms.kind is ProductKind.DEMAND else 0
    chart = f"liabilities:deposits:{terms.kind.value}"
    return Account(new.account, new.asset, Side.CREDIT, chart, today, floor, str(new.party))


async def _accruals(tx: Transaction, deposits: Sequence[Deposit]) -> list[AccrualRow]:
    counted = [each for each in deposits if each.contract.accrual is not None]
    terms = sorted({(each.product, each.version) for each in counted})
    numbers = {one: await store.terms_number(tx, *one) for one in terms}
    rows = []
    for each in counted:
        number, day = numbers[each.product, each.version], each.opened_on
        rows.append(AccrualRow(each.account, number, each.status, day, day, day, day, 0, 0, 0))
    return rows


async def _with_money(
    tx: Transaction, place: int, opening: Opening, new: Deposit, today: date, channel: Channel, clock: Clock
) -> Executed:
    """Errors: _Declined."""
    if not opening.amount_minor:
        return Executed(opening.id, new, ())
    assert opening.source is not None, "checked"
    try:
        answer = await paid_in(tx, opening.id, new, opening.amount_minor, opening.source, today, channel, clock)
    except Refused as said:
        answer = said.refusal
    if isinstance(answer, Refusal):
        raise _Declined({place: answer})
    return answer


def _content(opening: Opening, channel: Channel) -> str:
    return request_text({name: getattr(opening, name) for name in Opening.__slots__} | {"channel": channel.value})


def _years(born_on: date, today: date) -> int:
    return today.year - born_on.year - ((today.month, today.day) < (born_on.month, born_on.day))
