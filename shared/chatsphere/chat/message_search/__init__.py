"""Search in what was said: messages by their words, by their meaning, and by what is known of them."""
