"""Bodies of the web sources' requests and responses."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from chatsphere.http.models import ApiRequest, ApiResponse, unchanged
from chatsphere.knowledge.web.submitting import Change

Kind = Literal["page", "sitemap", "crawl"]
PageStatus = Literal["waiting", "fetched", "failed", "skipped", "gone"]
Url = Annotated[str, Field(min_length=1, max_length=2000, examples=["https://example.com/docs/"])]
MaxPages = Annotated[int, Field(ge=1, le=10_000, description="How many pages at most.")]
MaxDepth = Annotated[int, Field(ge=0, le=20, description="How many links away from the first page at most.")]
ResyncMinutes = Annotated[
    int | None, Field(ge=15, le=527_040, description="Synchronise again so often; null: only when asked to.")
]


class CreateSourceRequest(ApiRequest):
    """One page, the pages of a sitemap, or what a page links to. All of them are on one host."""

    kind: Kind
    url: Url
    max_pages: MaxPages | None = None
    max_depth: MaxDepth | None = None
    resync_minutes: ResyncMinutes = None

    @model_validator(mode="after")
    def _bounds_fit_the_kind(self) -> Self:
        if self.kind == "page" and self.max_pages not in (None, 1):
            raise PydanticCustomError("one_page", "A source of kind page has one page: leave max_pages out")
        if self.kind != "crawl" and self.max_depth is not None:
            raise PydanticCustomError("no_depth", "Only a source of kind crawl has a max_depth")
        return self


class UpdateSourceRequest(ApiRequest):
    """Changes of a source: what is left out stays. They hold from the next synchronisation on."""

    max_pages: MaxPages = unchanged()
    max_depth: MaxDepth = unchanged()
    resync_minutes: ResyncMinutes = unchanged()

    def change(self) -> Change:
        """Return what was given."""
        given = self.model_dump(exclude_unset=True)
        return Change(
            max_pages=given.get("max_pages"),
            max_depth=given.get("max_depth"),
            changes_resync="resync_minutes" in given,
            resync_minutes=given.get("resync_minutes"),
        )


class PageCounts(ApiResponse):
    """Pages of a source by what became of them."""

    waiting: int = 0
    fetched: int = 0
    failed: int = 0
    skipped: int = 0
    gone: int = 0


class SourceResponse(ApiResponse):
    """What a bot reads on the web.

    `is_complete`: the last synchronisation saw all that there is; one that did not removes nothing for not having seen
    it. `error_code` says why the last one failed.
    """

    id: UUID
    bot_id: UUID
    kind: Kind
    url: str
    max_pages: int
    max_depth: int
    resync_minutes: int | None
    status: Literal["syncing", "synced", "failed"]
    is_complete: bool
    error_code: str | None
    error_message: str | None
    pages: PageCounts
    next_sync_at: datetime | None
    sync_started_at: datetime | None
    synced_at: datetime | None
    created_at: datetime
    updated_at: datetime


class SourceAccepted(ApiResponse):
    """The source, which is being synchronised."""

    source: SourceResponse


class SourcePageResponse(ApiResponse):
    """A page that a source has found, and what became of it.

    fetched: it has a document. failed: what was fetched before stays. skipped: it becomes no document, as its
    `error_code` says. gone: it is not there any more. One whose document was deleted by somebody is excluded.
    """

    id: UUID
    url: str
    depth: int
    status: PageStatus
    is_excluded: bool
    document_id: UUID | None
    error_code: str | None
    error_message: str | None
    fetched_at: datetime | None
    created_at: datetime
    updated_at: datetime
