"""The cache of answers: the same question, of the same bot as it is now, is answered once."""
