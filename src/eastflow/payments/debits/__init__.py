"""Direct debits: what a customer lets a payee collect, under a mandate."""
