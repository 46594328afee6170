"""The widths that hold everywhere: a 64-bit signed amount, and an integer every JSON reader keeps exact."""

INT64_MAX = (1 << 63) - 1
EXACT_JSON_INTEGER_MAX = (1 << 53) - 1
"""RFC 8259 §6: integers up to this are read alike by every implementation."""
