"""The interest of what moved on a day."""
