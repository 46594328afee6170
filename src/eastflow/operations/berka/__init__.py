"""Taking over the books of a real Czech bank, its files of 1993 and 1994, and proving our balances against theirs."""
