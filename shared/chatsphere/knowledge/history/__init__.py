"""What became of a bot's documents, and what becomes of them now: history, status, and a stream of it."""
