"""Erasing a part of an organization: an end user, a document, or a bot."""
