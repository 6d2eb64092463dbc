"""Commands for whoever operates an installation: its examination, and the database's maintenance."""
