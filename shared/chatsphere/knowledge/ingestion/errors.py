"""What goes wrong in ingestion, beyond what is wrong with a file."""

from chatsphere.errors import ConflictError, DocumentError, InvalidRequestError


class InvalidNameError(InvalidRequestError):
    """The document's name cannot be part of an object's key."""

    code = "invalid_name"
    title = "The document's name is not valid"


class DocumentInProgressError(ConflictError):
    """The document is being processed or deleted; try again when that has ended."""

    code = "document_in_progress"
    title = "The document is being processed"


class NoStoredObjectError(ConflictError):
    """Of the document no file is stored that could be read again: it never came, or was refused and deleted."""

    code = "no_stored_object"
    title = "The document has no stored file"


class SizeMismatchError(DocumentError):
    """The uploaded object is larger than its upload declared."""

    code = "size_mismatch"
    title = "The file is larger than declared"


class NoRoomError(DocumentError):
    """The organization's plan permits no further document, or not that many bytes."""

    code = "quota_exceeded"
    title = "The plan's limit is reached"
    retryable = True


class ObjectMissingError(DocumentError):
    """The object that the document was registered for is not in the bucket any more."""

    code = "object_missing"
    title = "The stored file is missing"
    retryable = True


class MalwareFoundError(DocumentError):
    """The malware scan found a threat in the file: it stays where it is, and nobody reads it."""

    code = "malware_found"
    title = "The malware scan found a threat in the file"


class MalwareScanFailedError(DocumentError):
    """The malware scan could not look into the file, for it is encrypted, too large or damaged."""

    code = "malware_scan_failed"
    title = "The file could not be scanned for malware"


class UploadExpiredError(DocumentError):
    """A permitted upload never came."""

    code = "upload_expired"
    title = "The file was not uploaded in time"
    retryable = True


class DeadlineExceededError(DocumentError):
    """The document was neither ready nor failed within the published time."""

    code = "deadline_exceeded"
    title = "Processing the document took too long"
    retryable = True


class ProcessingError(DocumentError):
    """A step failed again and again for a reason that is not the document's."""

    code = "internal_error"
    title = "The document could not be processed because of an internal error"
    retryable = True


class LeaseLostError(Exception):
    """The step's lease ran out, or the document was replaced or deleted: nothing more may be written."""
