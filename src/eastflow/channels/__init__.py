"""The ways into the bank. They translate between the outside and the rooms below, and decide nothing."""
