"""The command line: every verb of the bank for an operator at a terminal."""

from .app import make_app
from .messages import say
from .options import Json
from .output import accepted, fail, in_bank, settings, show, show_rows

__all__ = ["Json", "accepted", "fail", "in_bank", "make_app", "say", "settings", "show", "show_rows"]
