"""Files made to hurt whoever reads them, each with the ends that are right for it.

    python -m tests.hostile [FOLDER …]

prints a table of all of them, and of every file of the folders: outcome, seconds, peak memory of the reading child.
"""
