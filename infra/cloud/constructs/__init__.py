"""Constructs: each owns one capability."""
