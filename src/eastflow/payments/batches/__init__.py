"""Batches: many payments of one payer in one file, such as a payroll."""
