"""A link by which whoever may read a document opens the very file, or page, that its passages were read from."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from chatsphere.db.database import Connection, Database
from chatsphere.errors import NotFoundError
from chatsphere.knowledge.documents import get_document
from chatsphere.knowledge.documents_queries import VISIBLE
from chatsphere.ports.objects import ObjectStore
from chatsphere.ports.system import Clock
from chatsphere.ports.uploads import MalwareScanner, ScanVerdict

VALID: Final = timedelta(minutes=5)

PDF: Final = "application/pdf"
UNKNOWN: Final = "application/octet-stream"

HARMLESS: Final = re.compile(r"application/(pdf|msword|rtf|epub\+zip|vnd\.[a-z0-9.-]+)|text/(plain|markdown|csv)")
"""Types that a browser does not run. Any other is served as mere bytes: no file acts in the name of our bucket."""

# Only constants are put together here; every value is a parameter.
LIVE_SOURCE: Final = f"""
    SELECT documents.name, documents.source, documents.url, documents.s3_key, documents.s3_version_id, documents.etag,
        documents.live_etag, documents.content_type
    FROM documents
    WHERE {VISIBLE} AND documents.id = %(document_id)s AND documents.live_generation IS NOT NULL
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class SourceLink:
    """Where the source is. `expires_at` is None where the link is the page's own."""

    url: str
    expires_at: datetime | None
    content_type: str | None
    name: str


@dataclass(frozen=True, slots=True)
class SourceOpener:
    """Makes links. `scanner` is None where nobody scans."""

    database: Database
    objects: ObjectStore
    scanner: MalwareScanner | None
    clock: Clock

    def link(self, organization_id: UUID, bot_id: UUID, document_id: UUID, *, page: int | None = None) -> SourceLink:
        """Return a link to what readers see of the document; of a PDF, to the page.

        Raises:
            NotFoundError: there is no such document, or nothing of it was read yet, or what was read is not stored any
                more, or not known to be clean where files are scanned.
            UnavailableError: the object store does not answer.
        """
        with self.database.transaction(organization_id) as connection:
            row = _live_source(connection, bot_id, document_id)
        link = _of_page(row) if row["source"] == "url" and row["url"] else self._of_object(row)
        if page is None or link.content_type != PDF:
            return link
        return SourceLink(f"{link.url}#page={page}", link.expires_at, link.content_type, link.name)

    def _of_object(self, row: Mapping[str, Any]) -> SourceLink:
        version = self._version(row)
        stored = self.objects.head(row["s3_key"], version)
        if stored is None or stored.etag != row["live_etag"] or not self._is_clean(row["s3_key"], version):
            raise _nothing()
        content_type = _served_type(row["content_type"])
        url = self.objects.presign_download(
            row["s3_key"],
            version,
            content_type=content_type,
            file_name=row["name"].rstrip("/").rpartition("/")[2] or "document",
            # Only where it is shown is `#page` of use, and a browser's PDF viewer runs nothing on our origin.
            inline=content_type == PDF,
            expires_seconds=int(VALID.total_seconds()),
        )
        return SourceLink(url, self.clock.now() + VALID, content_type, row["name"])

    def _version(self, row: Mapping[str, Any]) -> str | None:
        """Return the version that readers see: the newest object may be one that is yet to be read."""
        if row["etag"] == row["live_etag"]:
            return None if row["s3_version_id"] is None else str(row["s3_version_id"])
        seen = [version for version in self.objects.versions(row["s3_key"]) if version.etag == row["live_etag"]]
        if not seen:
            raise _nothing()
        newest = max(seen, key=lambda version: version.modified_at)
        return None if newest.id == "null" else newest.id

    def _is_clean(self, key: str, version: str | None) -> bool:
        """Return whether this very version was found clean: without one, another object may take its place."""
        if self.scanner is None:
            return True
        return version is not None and self.scanner.verdict(key, version) is ScanVerdict.CLEAN


def _live_source(connection: Connection, bot_id: UUID, document_id: UUID) -> Mapping[str, Any]:
    row = connection.execute(LIVE_SOURCE, {"bot_id": bot_id, "document_id": document_id}).fetchone()
    if row is None:
        get_document(connection, bot_id, document_id)
        raise _nothing()
    return row


def _of_page(row: Mapping[str, Any]) -> SourceLink:
    return SourceLink(row["url"], None, row["content_type"], row["name"])


def _served_type(content_type: str | None) -> str:
    plain = (content_type or "").partition(";")[0].strip().lower()
    return plain if HARMLESS.fullmatch(plain) else UNKNOWN


def _nothing() -> NotFoundError:
    return NotFoundError("Nothing of the document can be opened at the moment.")
