"""What a customer is given on paper: a statement of an account as PDF, in their language."""

from .statement import LANGUAGES, LINES_MAX, statement_pdf

__all__ = ["LANGUAGES", "LINES_MAX", "statement_pdf"]
