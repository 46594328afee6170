"""What this room freezes an account for, and what others had frozen beneath it."""
