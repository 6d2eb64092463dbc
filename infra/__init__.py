"""Where the functions run: the catalog that names them, and the one-machine run."""
