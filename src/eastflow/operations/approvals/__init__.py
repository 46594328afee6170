"""Two people for one deed: what one proposes is done when another approves it."""
