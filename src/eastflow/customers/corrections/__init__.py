"""A party called otherwise from now on: mistakes, marriages; what was said before is kept."""
