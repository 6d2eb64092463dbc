"""Keeping the database itself: partitions by time, and what an operator should know of it."""
