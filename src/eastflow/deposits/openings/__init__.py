"""Contracts opened, one or hundreds at once."""
