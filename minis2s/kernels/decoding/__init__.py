"""Twins of the searches."""
