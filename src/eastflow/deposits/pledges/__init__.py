"""Money that its owner has pledged."""
