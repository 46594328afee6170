"""The end of a business day: named steps in parts, each done once however often its runner dies."""
