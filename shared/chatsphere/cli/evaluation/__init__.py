"""`chatsphere eval`: how well the product finds passages, measured through its public API."""
