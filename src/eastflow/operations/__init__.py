"""What keeps the bank running day by day: closing, checking, restoring, and taking over another bank's books."""
