"""What keeps money on an account: orders of a court first, then pledges, held in the ledger."""
