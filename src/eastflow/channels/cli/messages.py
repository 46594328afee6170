"""What the command line says to people, in one place: a further language is a further table."""

from __future__ import annotations

import os
from collections.abc import Mapping

from .chinese import CHINESE
from .korean import KOREAN

ENGLISH: dict[str, str] = {
    "refused": "refused: {code}{facts}",
    "interrupted": "ended before it was done",
    "busy": "the same thing was being changed from elsewhere again and again; try once more",
    "not_text": "the arguments must be UTF-8 text",
    "runs_already": "The bank runs already: {address} answers for {data_dir}. End that process "
    "first, or name another EASTFLOW_DATA_DIR.",
    "cannot_listen": "Cannot listen on {host}:{port}: {reason}. Does the bank run already? Another port is named by "
    "EASTFLOW_PORT.",
    "serving": "The bank answers on {address}; end that process first.",
    "answers": "Eastflow answers on {url}",
    "where": "  reference  {url}/docs\n  API        {url}/v1\n  books      {books}",
    "key": "The first API key, shown only now: {secret}\nTry it:\n  {command}",
    "no_key": "Another API key is made by `eastflow keys create NAME`.",
    "demo_filled": "The demo bank is in the books: {accounts} accounts of {parties} customers and the bank, {entries} "
    "entries.",
    "more": "more: --cursor {cursor}",
    "more_after": "more: --after {after}",
    "batch": "{posted:,} posted, {replayed:,} posted before, {refused:,} refused",
    "line": "{file}, line {line}: {reason}",
    "unknown_field": "unknown field {name}",
    "does_not_balance": "the books do not balance: {differences}",
    "proved": "{entries:,} entries, {postings:,} postings, {accounts:,} accounts, {blocks:,} blocks: {verdict}",
    "proved_well": "proved",
    "proved_ill": "{count:,} findings",
    "not_anchors": "{file} is no file of heads as `eastflow verify --heads` writes them: {reason}",
    "worth": "What the contract is worth, with what it has earned:",
    "cannot_read": "cannot read {file}: {reason}",
    "cannot_write": "cannot write {file}: {reason}",
    "no_place": "{file} cannot be written: there is no directory {directory}",
    "anchored": "continues the heads of {file}",
    "heads_kept": "the heads are in {file}; keep it where no writer of the books can reach it",
    "heads_not_kept": "the heads are not kept: these books are not proved",
    "head": "head of chain {chain}: block {number}, {digest}",
    "not_a_moment": "{text!r} is no moment, such as 2026-01-31T09:30:00Z (without a zone: UTC)",
    "not_a_day": "{text!r} is no day, such as 2026-01-31",
    "years": "years are from {first} to {last}",
    "not_a_leg": "{text!r} is not ACCOUNT:AMOUNT",
    "not_a_piece": "{text!r} is not FORM:VALUE:COUNT, such as note:10000:5",
    "not_a_place": "{text!r} is not drawer:CODE or vault:CODE",
    "not_a_detail": "{text!r} is not KEY=VALUE",
    "not_a_share": "{text!r} is not PARTY:ACCOUNT:WEIGHT",
    "one_of": "one of {choices}",
    "other_account": "the cursor is of another account",
    "at_or_business_date": "--at and --business-date ask for different balances; give one of them",
    "one_of_both": "--at and --valued-on ask for different balances; give one of them",
    "floor_missing": "give a FLOOR, or --none to take it away",
    "find_by_one": "give one of --document, --phone, --email, --reference",
    "key_name": "a key's name has 1 to {characters_max} characters",
    "unreadable": "not a message that can be answered: {reason}",
    "no_message": "there is no message {id}",
    "no_statement": "there is no statement of account {account} for {day}: no such account or page, or a day not over",
    "not_embedded": "EASTFLOW_DATABASE_URL names a server of its own: it is backed up with its own tools",
    "day_behind": "The bank's date is {date}. Days are closed by `eastflow close-day`.",
    "days_closed_by_itself": "The bank's date is {date}. The days since are being closed.",
    "no_benchmarks": "the benchmarks are not installed here",
}
LANGUAGES: dict[str, Mapping[str, str]] = {"en": ENGLISH, "zh": CHINESE, "ko": KOREAN}


def say(key: str, **facts: object) -> str:
    """The text in the language of EASTFLOW_LANGUAGE (`zh`, `ko-KR`, `zh_CN.UTF-8`), or in English."""
    asked = os.environ.get("EASTFLOW_LANGUAGE", "")[:2].lower()
    return LANGUAGES.get(asked, ENGLISH)[key].format(**facts)
