"""What an operator should know of the database, and what to do about it."""
