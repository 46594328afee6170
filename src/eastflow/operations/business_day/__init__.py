"""The bank's date, which is not the clock's: it moves when a day is closed."""
