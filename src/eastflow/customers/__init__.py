"""Who the bank knows, and what they are to an account. Nouns and reads are here; the verbs in `customers.actions`."""

from eastflow.rules import AccountClass

from .classes.model import ClassedAccount, Direction, Movement, Usage
from .classes.store import class_of_account, classes_of_party, usage
from .merging.model import Merge
from .merging.store import merges_of_party
from .model import NAME_CHARACTERS_MAX, REFERENCE_CHARACTERS_MAX, Channel, Party, PartyKind, Role, RoleKind
from .personal_data.masking import masked_party
from .personal_data.store import has_sealed_data
from .records.decide import NameMatch
from .records.inquiries import (
    has_consent,
    identification_level,
    name_match,
    parties_by_contact,
    party_by_document,
    party_by_identity,
    records_of_party,
    risk_class,
)
from .records.masking import masked_record
from .records.model import (
    ChannelIdentity,
    Consent,
    ContactKind,
    ContactPoint,
    Content,
    Document,
    DocumentKind,
    Identification,
    IdentificationLevel,
    Record,
    Risk,
    RiskClass,
)
from .refusals import CustomersRefusal
from .store import parties, parties_page, party, party_by_reference, roles_of_account, roles_of_party

__all__ = [
    "NAME_CHARACTERS_MAX",
    "REFERENCE_CHARACTERS_MAX",
    "AccountClass",
    "Channel",
    "ChannelIdentity",
    "ClassedAccount",
    "Consent",
    "ContactKind",
    "ContactPoint",
    "Content",
    "CustomersRefusal",
    "Direction",
    "Document",
    "DocumentKind",
    "Identification",
    "IdentificationLevel",
    "Merge",
    "Movement",
    "NameMatch",
    "Party",
    "PartyKind",
    "Record",
    "Risk",
    "RiskClass",
    "Role",
    "RoleKind",
    "Usage",
    "class_of_account",
    "classes_of_party",
    "has_consent",
    "has_sealed_data",
    "identification_level",
    "masked_party",
    "masked_record",
    "merges_of_party",
    "name_match",
    "parties",
    "parties_by_contact",
    "parties_page",
    "party",
    "party_by_document",
    "party_by_identity",
    "party_by_reference",
    "records_of_party",
    "risk_class",
    "roles_of_account",
    "roles_of_party",
    "usage",
]
