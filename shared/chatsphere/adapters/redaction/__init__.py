"""The `PersonalDataFinder` port, on the rules of phone numbers (libphonenumber) and of numbers with check digits."""

from chatsphere.adapters.redaction.finder import RuleFinder

__all__ = ["RuleFinder"]
