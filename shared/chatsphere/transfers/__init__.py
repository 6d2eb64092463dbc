"""Bots that leave, and come in, as one file. Why so: decision 0109; the file: docs/portable-bots.md."""
