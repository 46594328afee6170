"""Why the HTTP channel itself says no, in order of precedence: the first that applies is the one returned."""

from __future__ import annotations

from eastflow.kernel import RefusalCode


class ApiRefusal(RefusalCode):
    # Of the caller.
    KEY_MISSING = "api.key_missing"
    KEY_UNKNOWN = "api.key_unknown"
    TOO_MANY_ATTEMPTS = "api.too_many_attempts"
    RATE_EXCEEDED = "api.rate_exceeded"
    # Of the request.
    NOT_FOUND = "api.not_found"
    METHOD_NOT_ALLOWED = "api.method_not_allowed"
    SCOPE_MISSING = "api.scope_missing"
    PARAMETER_MALFORMED = "api.parameter_malformed"
    BODY_TOO_LARGE = "api.body_too_large"
    BODY_MALFORMED = "api.body_malformed"
    CURSOR_MALFORMED = "api.cursor_malformed"
    # Of the keys.
    SCOPE_NOT_HELD = "api.scope_not_held"
    ROLE_NOT_HELD = "api.role_not_held"
    SECOND_PERSON_NEEDED = "api.second_person_needed"
    EXPIRY_IN_PAST = "api.expiry_in_past"
    KEY_NOT_FOUND = "api.key_not_found"
    KEY_NOT_YOURS = "api.key_not_yours"
    KEY_ENDED = "api.key_ended"
    # Of the bank's own condition.
    UNAVAILABLE = "api.unavailable"
    INTERNAL_ERROR = "api.internal_error"
