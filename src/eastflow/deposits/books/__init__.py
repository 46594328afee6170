"""A contract and the ledger: where it stands by the postings, and what products direct, booked."""
