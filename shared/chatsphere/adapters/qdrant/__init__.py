"""Qdrant as the vector store."""
