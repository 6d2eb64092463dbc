"""Google's Gemini API: embeddings and answers."""
