"""Benchmarks of the bank: each measures one thing on a bank of its own and prints one JSON object."""

MODULES = {
    "ledger": "ledger",
    "http": "http",
    "batch": "batch",
    "growth": "growth",
    "two-engines": "two_engines",
    "import": "import",
    "day-end": "day_end",
    "onboarding": "onboarding",
    "settlement": "settlement",
}
"""The benchmarks by name, and the module of each."""

__all__ = ["MODULES"]
