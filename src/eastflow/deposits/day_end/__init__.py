"""The work of a business date on all contracts: what moved is counted, what is due is booked."""
