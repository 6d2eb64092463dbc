"""The commands of `chatsphere eval`."""
