"""The one ledger. Nouns and reads are here; the verbs, which alone move value, are in `ledger.actions`."""

from .cursor import CursorMalformed
from .decide import Moment
from .inquiries import search, search_after, statement, statement_after, trial_balance_at
from .model import (
    BATCH_COMMANDS_MAX,
    Account,
    Balance,
    BookedEntry,
    BookedPosting,
    Capture,
    Command,
    Done,
    Entry,
    HeldAmount,
    Hold,
    HoldStatus,
    Outcome,
    Posting,
    Release,
    Side,
    Status,
)
from .proof import Finding, Proof, verify
from .refusals import LedgerRefusal
from .reports import Basis, EntryFilter, EntryPage, Position, Statement, StatementLine, TrialBalance
from .store.accounts import accounts, accounts_page, asset, assets
from .store.entries import entries, entry
from .store.events import BookedBlock, blocks_after, blocks_of_postings, chain_numbers
from .store.movements import (
    Movements,
    changes_booked_after,
    changes_valued_since,
    last_sequence_valued_by,
    moved_between,
    standings_of,
)
from .store.reads import balance, balance_booked_at, balance_valued_on, balances, hold, holds

__all__ = [
    "BATCH_COMMANDS_MAX",
    "Account",
    "Balance",
    "Basis",
    "BookedBlock",
    "BookedEntry",
    "BookedPosting",
    "Capture",
    "Command",
    "CursorMalformed",
    "Done",
    "Entry",
    "EntryFilter",
    "EntryPage",
    "Finding",
    "HeldAmount",
    "Hold",
    "HoldStatus",
    "LedgerRefusal",
    "Moment",
    "Movements",
    "Outcome",
    "Position",
    "Posting",
    "Proof",
    "Release",
    "Side",
    "Statement",
    "StatementLine",
    "Status",
    "TrialBalance",
    "accounts",
    "accounts_page",
    "asset",
    "assets",
    "balance",
    "balance_booked_at",
    "balance_valued_on",
    "balances",
    "blocks_after",
    "blocks_of_postings",
    "chain_numbers",
    "changes_booked_after",
    "changes_valued_since",
    "entries",
    "entry",
    "hold",
    "holds",
    "last_sequence_valued_by",
    "moved_between",
    "search",
    "search_after",
    "standings_of",
    "statement",
    "statement_after",
    "trial_balance_at",
    "verify",
]
