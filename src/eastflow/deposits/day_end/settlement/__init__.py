"""The interest of many contracts settled at once, in columns."""
