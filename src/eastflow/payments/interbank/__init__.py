"""What passes between this bank and others: payments sent and received, returned and recalled."""
