"""Who works at the counter: branches, their limits, tellers and sessions."""
