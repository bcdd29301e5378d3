"""Carrying patches to other files, and explaining the outcome."""
