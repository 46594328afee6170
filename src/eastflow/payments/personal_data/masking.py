"""Payments as they are shown to those who need not know whose they are: the bank's own numbers, and little else."""

from __future__ import annotations

from dataclasses import replace

from eastflow.customers import HIDDEN, masked_name, masked_number

from ..batches.model import BatchLine
from ..debits.model import Collection, Mandate
from ..model import Endpoint, Payment
from ..orders.model import StandingOrder


def masked_payment(payment: Payment) -> Payment:
    return replace(
        payment,
        debtor=masked_end(payment.debtor),
        creditor=masked_end(payment.creditor),
        remittance=masked_text(payment.remittance),
    )


def masked_order(order: StandingOrder) -> StandingOrder:
    return replace(order, creditor=masked_end(order.creditor), remittance=masked_text(order.remittance))


def masked_mandate(mandate: Mandate) -> Mandate:
    outside = mandate.outside and replace(
        mandate.outside,
        account=masked_number(mandate.outside.account),
        creditor_id=masked_number(mandate.outside.creditor_id),
        debtor_name=masked_name(mandate.outside.debtor_name),
    )
    name, reference = masked_name(mandate.creditor_name), masked_text(mandate.reference)
    return replace(mandate, creditor_name=name, reference=reference, outside=outside)


def masked_collection(collection: Collection) -> Collection:
    return replace(collection, remittance=masked_text(collection.remittance))


def masked_line(told: BatchLine) -> BatchLine:
    line = told.line
    return replace(
        told, line=replace(line, creditor=masked_end(line.creditor), remittance=masked_text(line.remittance))
    )


def masked_end(end: Endpoint) -> Endpoint:
    """An account of this bank is its number, which says nothing of a person; one elsewhere is masked."""
    account = end.account if end.bank is None else masked_number(end.account)
    return Endpoint(masked_name(end.name), account, end.bank)


def masked_text(text: str) -> str:
    return HIDDEN if text else ""
