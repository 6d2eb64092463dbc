"""Ids of what an import makes: the same ones each time that it is begun again, so that nothing is made twice."""

import hashlib
from typing import Final
from uuid import UUID

from chatsphere.transfers.limits import MAX_CHUNKS_OF_DOCUMENT, MAX_DOCUMENTS

_PLACE_BITS: Final = 15
_ORDINAL_BITS: Final = 18
_DIGEST_BITS: Final = 41
assert MAX_DOCUMENTS <= 1 << _PLACE_BITS
assert MAX_CHUNKS_OF_DOCUMENT < 1 << _ORDINAL_BITS


def document_id(import_id: UUID, place: int) -> UUID:
    """Return the id of a document of the file; in the order of the file."""
    return _derived(import_id, place, 0)


def chunk_id(import_id: UUID, place: int, ordinal: int) -> UUID:
    """Return the id of a document's passage; in the order of the text."""
    return _derived(import_id, place, ordinal + 1)


def evaluation_id(import_id: UUID, set_number: int, case_number: int | None = None) -> UUID:
    """Return the id of an evaluation set, or of a case in it; in the order of the file."""
    # Its own digest keeps these apart from the ids above: another table's rows may have the same number.
    return _derived(import_id, set_number, 0 if case_number is None else case_number + 1, b"evaluation")


def _derived(import_id: UUID, place: int, ordinal: int, kind: bytes = b"") -> UUID:
    """Return a UUIDv7 of the import's own millisecond (RFC 9562): 74 bits of place, ordinal and digest."""
    digest = int.from_bytes(hashlib.sha256(import_id.bytes + kind).digest()) >> (256 - _DIGEST_BITS)
    own = (place << (_ORDINAL_BITS + _DIGEST_BITS)) | (ordinal << _DIGEST_BITS) | digest
    high, low = own >> 62, own & ((1 << 62) - 1)
    milliseconds = import_id.int >> 80
    return UUID(int=(milliseconds << 80) | (0x7 << 76) | (high << 64) | (0b10 << 62) | low)
