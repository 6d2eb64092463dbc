"""Documents: how they come in, what is read from them, and how they are found again."""
