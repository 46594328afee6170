"""The verbs of flows. Each is a journey in a module of its own."""

from __future__ import annotations

from .applications import begin_application, complete_application, supply_parts, withdraw_application
from .counter import finish_at_counter
from .onboarding import Declined, Reception, onboard

__all__ = [
    "Declined",
    "Reception",
    "begin_application",
    "complete_application",
    "finish_at_counter",
    "onboard",
    "supply_parts",
    "withdraw_application",
]
