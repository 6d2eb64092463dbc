"""The fault run: documents go through the running product while everything around them fails.

    python -m tests.faults [--documents 500] [--seed 1]

Events are duplicated, shuffled and dropped; workers are killed with SIGKILL before and after each call that they make;
the database is killed, the vector store and the embedder refuse, hang and come back. At the end the report says, in
numbers, whether each document is in the right terminal state and whether bucket, database and vector store agree.
"""
