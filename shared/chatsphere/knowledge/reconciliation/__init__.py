"""Comparing what bucket, database and vector store hold of a bot, and repairing it. Why: decision 0086."""
