"""Accounts of class I at other banks: verified by five elements, then bound; and what other banks ask of ours."""
