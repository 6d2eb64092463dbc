"""Memory: every message embedded beside the documents of its bot, to be found again by what it means."""
