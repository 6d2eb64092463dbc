"""Questions that had no answer, kept for the bot's owner."""
