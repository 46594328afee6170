"""Journeys that touch several capabilities. Nouns and reads are here; the verbs in `flows.actions`."""

from .counter import FinishedAtCounter
from .model import (
    APPLICATION_DAYS,
    Application,
    ApplicationStatus,
    Onboarded,
    Onboarding,
    Parts,
    Step,
    StepKind,
)
from .refusals import FlowsRefusal
from .store import application, application_by_reference, applications_of_party, steps

__all__ = [
    "APPLICATION_DAYS",
    "Application",
    "ApplicationStatus",
    "FinishedAtCounter",
    "FlowsRefusal",
    "Onboarded",
    "Onboarding",
    "Parts",
    "Step",
    "StepKind",
    "application",
    "application_by_reference",
    "applications_of_party",
    "steps",
]
