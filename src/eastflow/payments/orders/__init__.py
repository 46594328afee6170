"""Standing orders: what a customer has the bank pay again and again."""
