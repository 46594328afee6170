"""Is the command itself sound? What can be said of it before anything is looked up."""

from __future__ import annotations

import re
from collections.abc import Mapping

from eastflow.kernel import DETAILS_MAX, EXACT_JSON_INTEGER_MAX, INT64_MAX, Refusal, details_problem, is_text

from .model import POSTINGS_MAX, POSTINGS_MIN, Command, Entry, Hold, Posting
from .refusals import LedgerRefusal

MEMO_CHARACTERS_MAX = 500
_KIND = re.compile(r"[a-z][a-z0-9_.]{0,63}")
_kinds_seen: set[str] = set()


def check_command(command: Command) -> Refusal | None:
    if isinstance(command, Entry):
        return check_entry(command)
    if isinstance(command, Hold):
        return _check_amount(command.amount_minor) or check_account_id(command.account)
    return check_account_id(command.account)


def check_entry(entry: Entry) -> Refusal | None:
    """The first refusal that applies to the entry by itself, or None."""
    if entry.kind not in _kinds_seen and not _is_kind(entry.kind):
        return Refusal(LedgerRefusal.TEXT_MALFORMED, {"field": "kind"})
    if entry.memo is not None and not is_text(entry.memo, MEMO_CHARACTERS_MAX):
        return Refusal(LedgerRefusal.TEXT_MALFORMED, {"field": "memo"})
    if entry.details and (refusal := check_details(entry.details)):
        return refusal
    if len(entry.postings) == 2:
        # Nearly every entry: two legs of one asset. Said apart because it is asked for each entry of a batch.
        one, other = entry.postings
        amount = one.amount_minor
        if amount and amount == -other.amount_minor and one.asset == other.asset and -INT64_MAX <= amount <= INT64_MAX:
            return check_account_id(one.account) or check_account_id(other.account)
    return check_postings(entry.postings)


def check_postings(postings: tuple[Posting, ...]) -> Refusal | None:
    if len(postings) < POSTINGS_MIN:
        return Refusal(LedgerRefusal.TOO_FEW_POSTINGS, {"postings": len(postings), "postings_min": POSTINGS_MIN})
    if len(postings) > POSTINGS_MAX:
        return Refusal(LedgerRefusal.TOO_MANY_POSTINGS, {"postings": len(postings), "postings_max": POSTINGS_MAX})
    totals: dict[str, int] = {}
    for posting in postings:
        if posting.amount_minor == 0:
            return Refusal(LedgerRefusal.AMOUNT_IS_ZERO, {"account": posting.account})
    for posting in postings:
        if not -INT64_MAX <= posting.amount_minor <= INT64_MAX:
            return Refusal(LedgerRefusal.AMOUNT_OUT_OF_RANGE, {"account": posting.account})
        totals[posting.asset] = totals.get(posting.asset, 0) + posting.amount_minor
    for asset, total in totals.items():
        if total:
            return Refusal(LedgerRefusal.DOES_NOT_BALANCE, {"asset": asset, "difference_minor": total})
    return next((refusal for posting in postings if (refusal := check_account_id(posting.account))), None)


def check_account_id(account: int) -> Refusal | None:
    """Account numbers are whole numbers that every reader of JSON keeps exact; no other number has an account."""
    if 0 < account <= EXACT_JSON_INTEGER_MAX:
        return None
    return Refusal(LedgerRefusal.ACCOUNT_NOT_FOUND, {"account": account})


def check_details(details: Mapping[str, str]) -> Refusal | None:
    problem = details_problem(details)
    if problem is None:
        return None
    if problem == "too_large":
        return Refusal(LedgerRefusal.DETAILS_TOO_LARGE, {"keys": len(details), "keys_max": DETAILS_MAX})
    return Refusal(LedgerRefusal.TEXT_MALFORMED, {"field": "details"})


def _check_amount(amount_minor: int) -> Refusal | None:
    if amount_minor == 0:
        return Refusal(LedgerRefusal.AMOUNT_IS_ZERO)
    if amount_minor < 0:
        return Refusal(LedgerRefusal.AMOUNT_IS_NEGATIVE, {"amount_minor": amount_minor})
    if amount_minor > INT64_MAX:
        return Refusal(LedgerRefusal.AMOUNT_OUT_OF_RANGE, {"amount_minor": amount_minor})
    return None


def _is_kind(kind: str) -> bool:
    if not _KIND.fullmatch(kind):
        return False
    # A bank has some dozens of kinds; the bound only keeps a caller who makes them up from filling the memory.
    if len(_kinds_seen) < 10_000:
        _kinds_seen.add(kind)
    return True
