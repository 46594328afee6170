"""The bank at work: opening it, its business date and its day's end, deeds that need two people, taking over another
bank's books, filling a demo."""

from .approvals.actions import approve_proposal, make_proposal, refuse_proposal, withdraw_proposal
from .approvals.kind import Approved, Kind
from .approvals.kinds import KINDS
from .approvals.model import NewProposal, Proposal, ProposalStatus, Role
from .approvals.store import proposal, proposals_page
from .bank import AlreadyServed, Bank, Settings, SettingsMalformed, open_bank, served_at, serving
from .berka.importer import Import, ImportRefused, import_berka
from .berka.read import SourceRefused
from .berka.standing_orders import OrdersImport, import_berka_orders
from .business_day.actions import begin_business_day, cut_off_day, roll_day, set_business_date
from .business_day.calendar import BusinessDate, business_date
from .business_day.model import BusinessDay, DayState
from .day_end.closer import keep_closing
from .day_end.model import DayEnd, PartState, StepProgress
from .day_end.runner import begin_day_end, close_day, day_end, day_to_close
from .day_end.step import Step, StepFailed
from .day_end.steps import STEPS
from .demo import Demo, DemoRefused, fill_demo
from .refusals import OperationsRefusal

__all__ = [
    "KINDS",
    "STEPS",
    "AlreadyServed",
    "Approved",
    "Bank",
    "BusinessDate",
    "BusinessDay",
    "DayEnd",
    "DayState",
    "Demo",
    "DemoRefused",
    "Import",
    "ImportRefused",
    "Kind",
    "NewProposal",
    "OperationsRefusal",
    "OrdersImport",
    "PartState",
    "Proposal",
    "ProposalStatus",
    "Role",
    "Settings",
    "SettingsMalformed",
    "SourceRefused",
    "Step",
    "StepFailed",
    "StepProgress",
    "approve_proposal",
    "begin_business_day",
    "begin_day_end",
    "business_date",
    "close_day",
    "cut_off_day",
    "day_end",
    "day_to_close",
    "fill_demo",
    "import_berka",
    "import_berka_orders",
    "keep_closing",
    "make_proposal",
    "open_bank",
    "proposal",
    "proposals_page",
    "refuse_proposal",
    "roll_day",
    "served_at",
    "serving",
    "set_business_date",
    "withdraw_proposal",
]
