"""Feedback: what end users say of answers."""
