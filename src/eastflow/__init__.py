"""Eastflow, a core bank. Start at docs/ARCHITECTURE.md; the floors are listed in tests/architecture_test.py."""
