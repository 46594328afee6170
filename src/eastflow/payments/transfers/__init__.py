"""Transfers: judged in order, counted against the limits and booked, one or thousands at once."""
