"""Cash in its place: the pieces beside the account that has their worth."""
