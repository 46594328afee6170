"""The only room that knows the database: the embedded server, transactions with retry, migrations."""

from . import embedded
from .database import Database, Retry
from .embedded import EmbeddedServerFault
from .faults import SchemaFault, StorageFault
from .migrations import migrate
from .transaction import Row, Transaction, UniqueViolation

__all__ = [
    "Database",
    "EmbeddedServerFault",
    "Retry",
    "Row",
    "SchemaFault",
    "StorageFault",
    "Transaction",
    "UniqueViolation",
    "embedded",
    "migrate",
]
