"""Cash on its way between two places of a branch: issued by one person, received by another."""
