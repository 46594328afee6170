"""Accounts at other banks, verified by message: what we ask, what we are told, and what we answer."""
