"""Money into and out of one contract: allowed on both sides, booked and kept."""
