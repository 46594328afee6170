"""A clearing house of the mind: it takes messages, answers by simple rules, and sends some of its own."""
