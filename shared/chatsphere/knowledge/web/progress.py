"""What one page says of its whole synchronisation."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from chatsphere.errors import DocumentError, UrlUnreachableError, WebError
from chatsphere.knowledge.web.errors import DuplicatePageError, NoIndexError, RobotsUnreachableError, UrlFailedError
from chatsphere.knowledge.web.leases import Step
from chatsphere.knowledge.web.pages import Ended, ListedPage

UNANSWERED: Final = (UrlUnreachableError, RobotsUnreachableError, UrlFailedError)
"""What says of a host that it is down."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What a step has found out about the synchronisation as a whole, and when the next one may be made."""

    failures: int = 0
    is_complete: bool = True
    error: DocumentError | None = None
    wait: timedelta = timedelta(0)


def progress_after(step: Step, page: ListedPage, ended: Ended, *, fits: bool) -> Progress:
    """What the page says of the whole: where a list was not to be had, nobody knows what else is gone."""
    error = ended.error
    # A page that was never read and never will be has led to nothing that could now be missing.
    may_lead = page.depth < step.depth_followed and (
        page.document_id is not None or (isinstance(error, WebError) and error.retryable)
    )
    excused = isinstance(error, DuplicatePageError) or (isinstance(error, NoIndexError) and not step.is_one_page)
    is_blamed = page.url == step.url and error is not None and not excused
    is_lost = (is_blamed and not step.is_one_page) or (
        ended.status != "fetched" if page.kind == "sitemap" else ended.status == "failed" and may_lead
    )
    return Progress(
        step.failures + 1 if isinstance(error, UNANSWERED) else 0,
        is_complete=fits and not is_lost,
        error=error if is_blamed else None,
    )


def said(error: DocumentError | None) -> dict[str, str | None]:
    """Return what of an error is kept in a row."""
    return {"error_code": error.code if error else None, "error_message": error.detail if error else None}
