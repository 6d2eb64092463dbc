"""Backup and restore of one home. Why so: decision 0108; how to use it: docs/backup.md."""
