"""The bank at work: opening it, taking over another bank's books, filling a demo."""

from .bank import AlreadyServed, Bank, Settings, SettingsMalformed, open_bank, served_at, serving
from .berka.importer import Import, ImportRefused, import_berka
from .berka.read import SourceRefused
from .demo import Demo, DemoRefused, fill_demo

__all__ = [
    "AlreadyServed",
    "Bank",
    "Demo",
    "DemoRefused",
    "Import",
    "ImportRefused",
    "Settings",
    "SettingsMalformed",
    "SourceRefused",
    "fill_demo",
    "import_berka",
    "open_bank",
    "served_at",
    "serving",
]
