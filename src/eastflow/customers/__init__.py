"""Who the bank knows, and what they are to an account. Nouns and reads are here; the verbs in `customers.actions`."""

from .model import NAME_CHARACTERS_MAX, REFERENCE_CHARACTERS_MAX, Party, PartyKind, Role, RoleKind
from .refusals import CustomersRefusal
from .store import parties, parties_page, party, party_by_reference, roles_of_account, roles_of_party

__all__ = [
    "NAME_CHARACTERS_MAX",
    "REFERENCE_CHARACTERS_MAX",
    "CustomersRefusal",
    "Party",
    "PartyKind",
    "Role",
    "RoleKind",
    "parties",
    "parties_page",
    "party",
    "party_by_reference",
    "roles_of_account",
    "roles_of_party",
]
