"""The only room that knows the database: the embedded server, transactions with retry, migrations."""

from .database import Database, Retry
from .faults import SchemaFault, StorageFault
from .migrations import migrate
from .transaction import Row, Transaction, UniqueViolation

__all__ = ["Database", "Retry", "Row", "SchemaFault", "StorageFault", "Transaction", "UniqueViolation", "migrate"]
