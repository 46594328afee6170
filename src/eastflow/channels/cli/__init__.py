"""The command line: every verb of the bank for an operator at a terminal."""

from .app import make_app
from .output import Json, fail, in_bank, show, show_rows

__all__ = ["Json", "fail", "in_bank", "make_app", "show", "show_rows"]
