"""What goes wrong outside of us: the world failed, and the caller may try again."""

from __future__ import annotations


class StorageFault(Exception):
    """The database could not be reached or did not answer; whether a commit took effect may be unknown."""


class SchemaFault(Exception):
    """The database was made by a newer program, or a migration that already ran has been changed since."""


class KeyFault(StorageFault):
    """The secret keys are not there, cannot be read, or are not those that the data was sealed with."""
