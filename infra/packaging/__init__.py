"""Builds what AWS Lambda runs, layers and function folders, without Docker."""
