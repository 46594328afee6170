"""What falls due of one contract."""
