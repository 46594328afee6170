"""Customers beyond their registration: documents and the like, merging, erasing; account classes; the bank's keys."""

from __future__ import annotations

import getpass
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Annotated, TypeVar
from uuid import UUID

import typer

from eastflow import customers
from eastflow.customers import (
    AccountClass,
    Channel,
    ClassedAccount,
    Consent,
    ContactKind,
    ContactPoint,
    Content,
    Document,
    DocumentKind,
    IdentificationLevel,
    Likeness,
    Party,
    PartyKind,
    Record,
    Risk,
    RiskClass,
    actions,
)
from eastflow.kernel import Refusal
from eastflow.ledger.actions import new_id
from eastflow.operations import Bank
from eastflow.payments.actions import shred_payments
from eastflow.storage import Transaction, drop_older_wrapping_keys, rewrap_month_keys

from .messages import say
from .options import Day, DayOrNone, Json, Number
from .output import accepted, console, in_bank, show, show_rows
from .parties import Personal, parties_app, shown_party
from .shapes import Data, class_data, record_data

classes_app = typer.Typer(help="Account classes I, II and III: assign, show, confirm, bind, end.", no_args_is_help=True)
personal_app = typer.Typer(help="Personal data: renew the keys it is sealed with.", no_args_is_help=True)
Country = Annotated[str, typer.Option(help="Of the issuer, two letters.")]
_Answer = TypeVar("_Answer")


def written(work: Callable[[Transaction, date], Awaitable[_Answer | Refusal]], as_json: bool) -> _Answer:
    """In one transaction, on the bank's date."""
    return accepted(in_bank(lambda bank: bank.database.run(lambda tx: work(tx, bank.engine.today()))), as_json)


def operator() -> str:
    return f"operator {getpass.getuser()}"


@parties_app.command("identify")
def parties_identify(
    kind: DocumentKind,
    number: str,
    name: str,
    country: Country = "CN",
    channel: Channel = Channel.BRANCH,
    verified: bool = False,
    expires_on: DayOrNone = None,
    born_on: DayOrNone = None,
    personal: Personal = False,
    as_json: Json = False,
) -> None:
    """Find the person who has the document, or register them with it."""
    document = Document(kind, number, country, expires_on, verified)

    async def work(tx: Transaction, today: date) -> Party | Refusal:
        new = Party(new_id(), PartyKind.PERSON, name, today, born_on)
        return await actions.register_or_find(tx, new, document, channel, by=operator(), today=today)

    show(shown_party(written(work, as_json), personal), as_json)


@parties_app.command("find")
def parties_find(
    document: Annotated[str | None, typer.Option(help="A document's number; with --kind and --country.")] = None,
    kind: DocumentKind = DocumentKind.IDENTITY_CARD,
    country: Country = "CN",
    phone: str | None = None,
    email: str | None = None,
    reference: str | None = None,
    personal: Personal = False,
    as_json: Json = False,
) -> None:
    """Find parties by a document, a telephone, an e-mail address or a reference; by name: `list --name`."""
    if sum(each is not None for each in (document, phone, email, reference)) != 1:
        raise typer.BadParameter(say("find_by_one"))

    async def work(bank: Bank) -> list[Party]:
        async with bank.database.reading() as tx:
            if phone is not None:
                return await customers.parties_by_contact(tx, ContactKind.PHONE, phone)
            if email is not None:
                return await customers.parties_by_contact(tx, ContactKind.EMAIL, email)
            if reference is not None:
                found = await customers.party_by_reference(tx, reference)
            else:
                found = await customers.party_by_document(tx, kind, document or "", country)
            return [] if found is None else [found]

    found = [shown_party(each, personal) for each in in_bank(work)]
    rows = [(each.id, each.kind.value, each.name, each.reference) for each in found]
    show_rows(("id", "kind", "name", "reference"), rows, found, as_json)


@parties_app.command("records")
def parties_records(id: UUID, personal: Personal = False, as_json: Json = False) -> None:
    """What is held of a party and was held."""

    async def work(bank: Bank) -> list[Record] | Refusal:
        async with bank.database.reading() as tx:
            if await customers.party(tx, id) is None:
                return Refusal(customers.CustomersRefusal.PARTY_NOT_FOUND, {"id": id})
            return await customers.records_of_party(tx, id)

    found = [_record_data(each, personal) for each in accepted(in_bank(work), as_json)]
    rows = [(each["number"], each["kind"], each["content"], each["added_at"], each["ended_at"]) for each in found]
    show_rows(("number", "kind", "content", "added", "ended"), rows, found, as_json)


@parties_app.command("add-document")
def parties_add_document(
    id: UUID,
    kind: DocumentKind,
    number: str,
    country: Country = "CN",
    expires_on: DayOrNone = None,
    verified: bool = False,
    as_json: Json = False,
) -> None:
    """Record an official document."""
    _record(id, Document(kind, number, country, expires_on, verified), as_json)


@parties_app.command("add-contact")
def parties_add_contact(id: UUID, kind: ContactKind, value: str, verified: bool = False, as_json: Json = False) -> None:
    """Record where the party can be reached."""
    _record(id, ContactPoint(kind, value, verified), as_json)


@parties_app.command("add-identity")
def parties_add_identity(id: UUID, channel: Channel, identifier: str, as_json: Json = False) -> None:
    """Record who the party is in a channel."""
    _record(id, customers.ChannelIdentity(channel, identifier), as_json)


@parties_app.command("consent")
def parties_consent(
    id: UUID, purpose: str, granted_on: DayOrNone = None, until: DayOrNone = None, as_json: Json = False
) -> None:
    """Record that the party allows something."""
    _record(id, Consent(purpose, granted_on or datetime.now(UTC).date(), until), as_json)


@parties_app.command("identification")
def parties_identification(id: UUID, level: IdentificationLevel, as_json: Json = False) -> None:
    """Record how surely the party is known."""
    _record(id, customers.Identification(level), as_json)


@parties_app.command("risk")
def parties_risk(id: UUID, risk_class: RiskClass, reason: str = "", as_json: Json = False) -> None:
    """Record the party's risk class."""
    _record(id, Risk(risk_class, reason), as_json)


@parties_app.command("end-record")
def parties_end_record(id: UUID, number: int, as_json: Json = False) -> None:
    """Withdraw a consent, take back a document or a contact point."""
    ended = written(lambda tx, _: actions.end_record(tx, id, number, by=operator()), as_json)
    show(_record_data(ended, personal=False), as_json)


@parties_app.command("correct")
def parties_correct(
    id: UUID,
    reason: str,
    name: str | None = None,
    born_on: DayOrNone = None,
    personal: Personal = False,
    as_json: Json = False,
) -> None:
    """Correct a party's name or day of birth; what was said before is kept among its records."""
    told = customers.Correction(new_id(), id, reason, name, born_on)
    corrected = written(lambda tx, today: actions.correct_party(tx, told, by=operator(), today=today), as_json)
    show(shown_party(corrected, personal), as_json)


@parties_app.command("duplicates")
def parties_duplicates(id: UUID, personal: Personal = False, as_json: Json = False) -> None:
    """The parties who may be the same, and why, the likeliest first."""

    async def work(bank: Bank) -> list[Likeness] | Refusal:
        async with bank.database.reading() as tx:
            if await customers.party(tx, id) is None:
                return Refusal(customers.CustomersRefusal.PARTY_NOT_FOUND, {"id": id})
            return await customers.possible_duplicates(tx, id)

    found = accepted(in_bank(work), as_json)
    shown = [(shown_party(each.party, personal), [reason.value for reason in each.ranked]) for each in found]
    rows = [(party.id, party.name, ", ".join(reasons)) for party, reasons in shown]
    answer = [{"party": party, "reasons": reasons} for party, reasons in shown]
    show_rows(("id", "name", "reasons"), rows, answer, as_json)


@parties_app.command("merge")
def parties_merge(id: UUID, into: UUID, reason: str, as_json: Json = False) -> None:
    """Merge a duplicate into the party it turned out to be."""
    show(written(lambda tx, _: actions.merge_parties(tx, id, into, reason=reason, by=operator()), as_json), as_json)


@parties_app.command("unmerge")
def parties_unmerge(id: UUID, as_json: Json = False) -> None:
    """Undo a merge: both are as they were."""
    show(written(lambda tx, _: actions.unmerge_party(tx, id, by=operator()), as_json), as_json)


@parties_app.command("erase")
def parties_erase(id: UUID, as_json: Json = False) -> None:
    """Shred what is known of a party, where law allows. It cannot be undone."""
    show(written(lambda tx, today: actions.erase_party(tx, id, today=today), as_json), as_json)


@classes_app.command("assign")
def classes_assign(
    account: Number,
    party: UUID,
    account_class: AccountClass,
    opened_by: Channel = Channel.BRANCH,
    face_to_face: bool = False,
    bind: Annotated[list[int] | None, typer.Option(help="An account of class I of the same person.")] = None,
    since: DayOrNone = None,
    as_json: Json = False,
) -> None:
    """Give an account its class, for the person who owns it."""

    async def work(tx: Transaction, today: date) -> ClassedAccount | Refusal:
        bound = frozenset(bind or ())
        new = ClassedAccount(account, party, account_class, since or today, opened_by, face_to_face, bound)
        return await actions.assign_class(tx, new, today=today)

    show(class_data(written(work, as_json)), as_json)


@classes_app.command("show")
def classes_show(account: Number, as_json: Json = False) -> None:
    """An account's class, and what is used of its limits today and this year."""

    async def work(bank: Bank) -> Data | Refusal:
        async with bank.database.reading() as tx:
            found = await customers.class_of_account(tx, account)
            if found is None:
                return Refusal(customers.CustomersRefusal.CLASS_NOT_FOUND, {"account": account})
            used = {
                f"used_{direction.value}": await customers.usage(tx, account, direction, bank.engine.today())
                for direction in customers.Direction
            }
        return class_data(found) | used

    show(accepted(in_bank(work), as_json), as_json)


@classes_app.command("confirm")
def classes_confirm(account: Number, as_json: Json = False) -> None:
    """Staff have seen the owner and the document."""
    show(class_data(written(lambda tx, _: actions.confirm_face_to_face(tx, account), as_json)), as_json)


@classes_app.command("bind")
def classes_bind(account: Number, to: int, as_json: Json = False) -> None:
    """Bind an account of class I of the same person."""
    show(class_data(written(lambda tx, _: actions.bind_account(tx, account, to), as_json)), as_json)


@classes_app.command("end")
def classes_end(account: Number, until: Day, as_json: Json = False) -> None:
    """The account has no class from that day on."""
    ended = written(lambda tx, today: actions.end_class(tx, account, until=until, today=today), as_json)
    show(class_data(ended), as_json)


@personal_app.command("rotate-key")
def personal_rotate_key(as_json: Json = False) -> None:
    """Add a wrapping key to the key file, and wrap every data key by it, of parties and of payments' months. What is
    sealed stays as it is."""

    async def work(bank: Bank) -> Data:
        assert bank.database.keys is not None, "a bank opens with its keys"
        number = bank.database.keys.add_wrapping_key()
        wrapped = await _rewrapped(bank)
        return {"wrapping_key": number, "data_keys": wrapped}

    show(in_bank(work), as_json)


@personal_app.command("drop-old-keys")
def personal_drop_old_keys(as_json: Json = False) -> None:
    """Take from the key file every wrapping key but the last, after wrapping by it what the others still wrap. It waits
    for transactions that are open, a minute at most. A backup of the database made before can be read only with the
    key file of its time."""

    async def work(bank: Bank) -> Data:
        last, wrapped = await drop_older_wrapping_keys(bank.database, lambda: _rewrapped(bank))
        return {"wrapping_key": last, "data_keys": wrapped}

    show(in_bank(work), as_json)


@personal_app.command("reseal")
def personal_reseal(
    made_before: DayOrNone = None,
    as_json: Json = False,
) -> None:
    """Seal anew, with new data keys, what is sealed with keys made before a day (before now, if none is given). It may
    be cut short and run again with the same day."""
    moment = datetime.now(UTC) if made_before is None else datetime.combine(made_before, datetime.min.time(), UTC)

    async def work(bank: Bank) -> Data:
        step = lambda: bank.database.run(lambda tx: actions.reseal_parties(tx, made_before=moment))  # noqa: E731
        return {"parties": await _in_steps(step)}

    show(in_bank(work), as_json)


@personal_app.command("shred-payments")
def personal_shred_payments(as_json: Json = False) -> None:
    """Make names, accounts and texts of payments and messages unreadable for good, month by month, where the law has
    kept them long enough. Amounts and days stay."""
    show({"months": written(lambda tx, today: shred_payments(tx, today=today), as_json)}, as_json)


async def _rewrapped(bank: Bank) -> int:
    """How many data keys are wrapped by the last wrapping key now that were not before: of parties and of months."""
    of_months = await _in_steps(lambda: bank.database.run(rewrap_month_keys))
    return of_months + await _in_steps(lambda: bank.database.run(actions.rewrap_data_keys))


async def _in_steps(step: Callable[[], Awaitable[int]]) -> int:
    """Until nothing is left to do. How many there were in all."""
    total = 0
    with console(stderr=True).status("") as status:
        while done := await step():
            total += done
            status.update(f"{total:,}")
    return total


def _record(party: UUID, content: Content, as_json: bool) -> None:
    added = written(lambda tx, today: actions.add_record(tx, party, content, by=operator(), today=today), as_json)
    show(_record_data(added, personal=False), as_json)


def _record_data(record: Record, personal: bool) -> Data:
    return record_data(record if personal else customers.masked_record(record))
