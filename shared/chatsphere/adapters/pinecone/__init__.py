"""Pinecone as the vector store."""
