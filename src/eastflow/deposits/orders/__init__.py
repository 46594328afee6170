"""Orders of a court: what they freeze, in their rank, until they expire."""
