"""Personal data: sealed where it is kept, found by blind index, masked where it is shown, shredded where it may be."""
