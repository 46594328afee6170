"""Plans of migration carried out."""
