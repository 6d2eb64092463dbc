"""What goes wrong with files of bots."""

from typing import Final

from chatsphere.errors import ChatSphereError, ConflictError


class ExportRunningError(ConflictError):
    """The bot is being exported; wait until that has ended."""

    code = "export_running"
    title = "The bot is being exported already"


class ImportStartedError(ConflictError):
    """The import was started before, or its time to upload is over."""

    code = "import_started"
    title = "The import cannot be started again"


class UploadMissingError(ConflictError):
    """The file was not uploaded yet."""

    code = "upload_missing"
    title = "The file was not uploaded"


class TransferError(ChatSphereError):
    """An export or import cannot be done; trying again changes nothing. `code` and `detail` are kept in its row."""

    code = "transfer_failed"
    status = 422
    title = "The file cannot be made or taken in"


class ExportTooLargeError(TransferError):
    """The bot is larger than a file may be, or takes longer to write than a function runs."""

    code = "export_too_large"
    title = "The bot is too large for one file; leave its originals or vectors out"


class VectorsMissingError(TransferError):
    """The vector store lacks vectors of the bot."""

    code = "vectors_missing"
    title = "Vectors of the bot are missing; make them anew, or leave them out"


class InvalidFileError(TransferError):
    """The file is damaged, or was not made by ChatSphere."""

    code = "invalid_file"
    title = "The file is no bot's, or damaged"


class FileTooLargeError(TransferError):
    """The file, or what it unpacks to, is over a limit."""

    code = "file_too_large"
    title = "The file holds more than is allowed"


class UnknownFormatError(TransferError):
    """The file was made by a later release."""

    code = "unknown_format"
    title = "The file is of a format that this release does not know"


class VectorsDifferError(TransferError):
    """The file's vectors are not those that the model makes of its texts."""

    code = "vectors_differ"
    title = "The file's vectors do not fit its texts"


class BotGoneError(TransferError):
    """The bot was deleted meanwhile."""

    code = "bot_gone"
    title = "The bot was deleted meanwhile"


TOO_MANY_ATTEMPTS: Final = "too_many_attempts"
"""Code of what was begun again and again, and never came to an end."""
