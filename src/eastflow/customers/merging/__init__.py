"""Duplicates: parties that turned out to be one, merged with a trail and unmerged exactly."""
