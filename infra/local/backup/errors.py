"""What can go wrong with backups, in words for the person at the terminal."""

from infra.local.errors import LocalRunError


class BackupError(LocalRunError):
    """No backup could be made, or restored; the message says why and what to do."""


class DamagedBackupError(BackupError):
    """The file is no backup, or not as it was written."""


class NewerBackupError(BackupError):
    """The backup was made by a later release than this one."""


class HomeNotEmptyError(BackupError):
    """There is something in the home that a restore would take the place of."""
