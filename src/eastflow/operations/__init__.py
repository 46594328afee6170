"""The bank at work: opening it, taking over another bank's books, filling a demo."""

from .bank import Bank, Settings, open_bank
from .berka.importer import Import, import_berka
from .demo import fill_demo

__all__ = ["Bank", "Import", "Settings", "fill_demo", "import_berka", "open_bank"]
