"""Readers search all the time while documents are replaced, deleted and embedded anew: what they find is judged."""
