"""Training a bot anew: its passages embedded with another model, beside the vectors that readers search."""
