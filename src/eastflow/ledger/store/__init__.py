"""Rows in, nouns out: all the SQL of the ledger, over the ledger's tables only."""
