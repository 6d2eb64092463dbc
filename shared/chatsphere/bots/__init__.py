"""Bots: what answers, from which documents, and how."""
