"""Meaning: rows of Atera as records and back. Pure."""
