"""The only room that knows the database: the embedded server, transactions with retry, migrations."""

from . import embedded
from .backup import Backup, back_up, backups, drop_older_backups, restore, verify_backup
from .clock import Clock, go_on_from, now
from .database import Database, Retry
from .embedded import EmbeddedServerFault
from .faults import KeyFault, SchemaFault, StorageFault
from .keys import Keys, new_data_key, seal, unseal
from .migrations import migrate
from .month_keys import (
    check_month_keys,
    has_month_keys,
    month_sealer,
    month_unsealed,
    rewrap_month_keys,
    shred_months,
)
from .transaction import Row, Transaction, UniqueViolation
from .wrapping import drop_older_wrapping_keys

__all__ = [
    "Backup",
    "Clock",
    "Database",
    "EmbeddedServerFault",
    "KeyFault",
    "Keys",
    "Retry",
    "Row",
    "SchemaFault",
    "StorageFault",
    "Transaction",
    "UniqueViolation",
    "back_up",
    "backups",
    "check_month_keys",
    "drop_older_backups",
    "drop_older_wrapping_keys",
    "embedded",
    "go_on_from",
    "has_month_keys",
    "migrate",
    "month_sealer",
    "month_unsealed",
    "new_data_key",
    "now",
    "restore",
    "rewrap_month_keys",
    "seal",
    "shred_months",
    "unseal",
    "verify_backup",
]
