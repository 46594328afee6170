"""What moves cash by a voucher: done by a teller, or confirmed by a second person."""
