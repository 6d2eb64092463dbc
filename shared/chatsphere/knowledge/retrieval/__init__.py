"""How passages are found: a lexical index, vectors, their fusion, and how sure the result is."""
