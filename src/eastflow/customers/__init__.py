"""Who the bank knows, and what they are to an account. Nouns and reads are here; the verbs in `customers.actions`."""

from eastflow.rules import AccountClass

from .classes.model import ClassedAccount, Direction, Movement, Usage
from .classes.store import class_of_account, classes_of_party, usage
from .corrections.model import Correction
from .merging.inquiries import possible_duplicates
from .merging.model import Likeness, LikenessReason, Merge
from .merging.store import merges_of_party
from .model import NAME_CHARACTERS_MAX, REFERENCE_CHARACTERS_MAX, Channel, Party, PartyKind, Role, RoleKind
from .personal_data.masking import HIDDEN, masked_name, masked_number, masked_party
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
    Former,
    Identification,
    IdentificationLevel,
    Record,
    Risk,
    RiskClass,
)
from .refusals import CustomersRefusal
from .store import parties, parties_page, party, party_by_reference, roles_of_account, roles_of_party
from .verification.masking import masked_verification
from .verification.model import Element, ElementResult, Elements, Results, Verification, VerificationStatus
from .verification.store import is_bound, verification, verifications_of_account, verifications_to_send

__all__ = [
    "HIDDEN",
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
    "Correction",
    "CustomersRefusal",
    "Direction",
    "Document",
    "DocumentKind",
    "Element",
    "ElementResult",
    "Elements",
    "Former",
    "Identification",
    "IdentificationLevel",
    "Likeness",
    "LikenessReason",
    "Merge",
    "Movement",
    "NameMatch",
    "Party",
    "PartyKind",
    "Record",
    "Results",
    "Risk",
    "RiskClass",
    "Role",
    "RoleKind",
    "Usage",
    "Verification",
    "VerificationStatus",
    "class_of_account",
    "classes_of_party",
    "has_consent",
    "has_sealed_data",
    "identification_level",
    "is_bound",
    "masked_name",
    "masked_number",
    "masked_party",
    "masked_record",
    "masked_verification",
    "merges_of_party",
    "name_match",
    "parties",
    "parties_by_contact",
    "parties_page",
    "party",
    "party_by_document",
    "party_by_identity",
    "party_by_reference",
    "possible_duplicates",
    "records_of_party",
    "risk_class",
    "roles_of_account",
    "roles_of_party",
    "usage",
    "verification",
    "verifications_of_account",
    "verifications_to_send",
]
