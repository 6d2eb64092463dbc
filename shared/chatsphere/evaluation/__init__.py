"""Evaluation sets: questions to a bot, and what is expected of its answers."""
