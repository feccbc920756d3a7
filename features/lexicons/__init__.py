"""Lexicons that ship: keywords of common kinds of documents, Italian and English."""
