"""What payments know of persons: sealed in the tables, masked in answers, shredded when its time is over."""
