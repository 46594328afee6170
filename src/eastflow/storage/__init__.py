"""The only room that knows the database: the embedded server, transactions with retry, migrations."""

from . import embedded
from .backup import Backup, back_up, backups, restore, verify_backup
from .clock import Clock, go_on_from, now
from .database import Database, Retry
from .embedded import EmbeddedServerFault
from .faults import KeyFault, SchemaFault, StorageFault
from .keys import Keys, new_data_key, seal, unseal
from .migrations import migrate
from .transaction import Row, Transaction, UniqueViolation

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
    "embedded",
    "go_on_from",
    "migrate",
    "new_data_key",
    "now",
    "restore",
    "seal",
    "unseal",
    "verify_backup",
]
