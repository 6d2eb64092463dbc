"""Personal data made unreadable before anything is kept of it."""
