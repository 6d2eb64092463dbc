"""Chat: a question goes in; an answer with checked citations, or a refusal, comes out and is kept."""
