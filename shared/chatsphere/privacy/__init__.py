"""People's rights: a copy of what is held on them, and its verified deletion."""
