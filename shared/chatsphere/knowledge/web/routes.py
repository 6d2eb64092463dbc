"""HTTP routes of web sources: translate in, call one use case, translate out."""

from typing import Annotated, Any, Final
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from chatsphere.access.permissions import Permission
from chatsphere.access.principal import Principal
from chatsphere.bootstrap import container
from chatsphere.db.database import Connection
from chatsphere.http.idempotency import keep_answer
from chatsphere.http.operations import NO_CONTENT, described, no_content, problem_response, requires
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, page_of
from chatsphere.http.rest_api import principal
from chatsphere.knowledge.documents import Document
from chatsphere.knowledge.schemas import CreateDocumentRequest, DocumentAccepted, DocumentResponse
from chatsphere.knowledge.web import sources
from chatsphere.knowledge.web.schemas import (
    CreateSourceRequest,
    PageStatus,
    SourceAccepted,
    SourcePageResponse,
    SourceResponse,
    UpdateSourceRequest,
)
from chatsphere.knowledge.web.submitting import NewSource, Outcome, Sources
from chatsphere.knowledge.web.urls import WebUrl
from chatsphere.ports.vectors import Namespace

router = Router()

TAGS: Final = ["sources"]
MAX_PAGES: Final = {"page": 1, "sitemap": 1000, "crawl": 100}
MAX_DEPTH: Final = 3


@router.post(
    "/v1/bots/<bot_id>/sources",
    status_code=202,
    summary="Read a page, a sitemap or a site",
    tags=TAGS,
    operation_id="createSource",
    openapi_extensions=requires(Permission.DOCUMENTS_WRITE),
    responses={
        202: described("The source, which is being synchronised."),
        402: problem_response("The plan permits no further document of the bot."),
        409: problem_response(
            "The bot has this source (`source_exists`), or enough of its kind (`too_many_sources`); or it is archived "
            "(`bot_archived`)."
        ),
    },
)
def create_source(bot_id: UUID, body: CreateSourceRequest) -> Response[SourceAccepted]:
    """Add pages of the web to a bot's knowledge; a page becomes a document when it is fetched."""
    made: list[SourceAccepted] = []

    def keep(connection: Connection, source: sources.Source) -> None:
        made.append(SourceAccepted(source=SourceResponse.model_validate(source)))
        keep_answer(connection, 202, made[0])

    new = NewSource(
        body.kind,
        _parsed(body.url),
        max_pages=body.max_pages or MAX_PAGES[body.kind],
        max_depth=_depth(body),
        resync_minutes=body.resync_minutes,
    )
    _sources(principal(router), bot_id).add(new, keep)
    return Response(202, "application/json", made[0])


@router.get(
    "/v1/bots/<bot_id>/sources",
    summary="List the web sources",
    tags=TAGS,
    operation_id="listSources",
    openapi_extensions=requires(Permission.DOCUMENTS_READ),
)
def list_sources(bot_id: UUID, limit: Limit = 20, cursor: Cursor = None) -> Page[SourceResponse]:
    """Return a page of the bot's web sources, newest first."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = sources.sources_page(connection, bot_id, after=decode_cursor(cursor), limit=limit)
    return page_of([SourceResponse.model_validate(row) for row in rows], limit, lambda source: source.id)


@router.get(
    "/v1/bots/<bot_id>/sources/<source_id>",
    summary="Get a web source",
    tags=TAGS,
    operation_id="getSource",
    openapi_extensions=requires(Permission.DOCUMENTS_READ),
)
def get_source(bot_id: UUID, source_id: UUID) -> SourceResponse:
    """Return one source, with how far its synchronisation is."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        return SourceResponse.model_validate(sources.get_source(connection, bot_id, source_id))


@router.get(
    "/v1/bots/<bot_id>/sources/<source_id>/pages",
    summary="List the pages of a web source",
    tags=TAGS,
    operation_id="listSourcePages",
    openapi_extensions=requires(Permission.DOCUMENTS_READ),
)
def list_source_pages(
    bot_id: UUID,
    source_id: UUID,
    limit: Limit = 20,
    cursor: Cursor = None,
    status: Annotated[PageStatus | None, Query(description="Only pages of this status.")] = None,
) -> Page[SourcePageResponse]:
    """Return a page of what the source has found, newest first, with why something became no document."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = sources.web_pages(connection, bot_id, source_id, status=status, after=decode_cursor(cursor), limit=limit)
    return page_of([SourcePageResponse.model_validate(row) for row in rows], limit, lambda page: page.id)


@router.patch(
    "/v1/bots/<bot_id>/sources/<source_id>",
    summary="Change a web source",
    tags=TAGS,
    operation_id="updateSource",
    openapi_extensions=requires(Permission.DOCUMENTS_WRITE),
)
def update_source(bot_id: UUID, source_id: UUID, body: UpdateSourceRequest) -> SourceResponse:
    """Change its bounds, and how often it is synchronised."""
    changed = _sources(principal(router), bot_id).change(source_id, body.change())
    return SourceResponse.model_validate(changed)


@router.post(
    "/v1/bots/<bot_id>/sources/<source_id>/sync",
    status_code=202,
    summary="Synchronise a web source",
    tags=TAGS,
    operation_id="syncSource",
    openapi_extensions=requires(Permission.DOCUMENTS_WRITE),
    responses={
        202: described("The source, which is being synchronised."),
        409: problem_response("It is being synchronised (`source_in_progress`); or its bot is archived."),
    },
)
def sync_source(bot_id: UUID, source_id: UUID) -> Response[SourceAccepted]:
    """Look at its pages again: what changed is replaced, what is gone is removed."""
    source = _sources(principal(router), bot_id).sync(source_id)
    return Response(202, "application/json", SourceAccepted(source=SourceResponse.model_validate(source)))


@router.delete(
    "/v1/bots/<bot_id>/sources/<source_id>",
    status_code=204,
    summary="Delete a web source with its documents",
    tags=TAGS,
    operation_id="deleteSource",
    openapi_extensions=requires(Permission.DOCUMENTS_WRITE),
    responses=NO_CONTENT,
)
def delete_source(bot_id: UUID, source_id: UUID) -> Response[Any]:
    """Delete the source at once and its documents in the background; each of them has a receipt."""
    _sources(principal(router), bot_id).delete(source_id)
    return no_content()


def accept_page(caller: Principal, bot_id: UUID, body: CreateDocumentRequest, url: str) -> DocumentAccepted:
    """Make the document of a page that is to be fetched, and a source that keeps it up to date."""
    made: list[DocumentAccepted] = []

    def keep(connection: Connection, document: Document, outcome: Outcome) -> None:
        made.append(DocumentAccepted(document=DocumentResponse.model_validate(document), outcome=outcome))
        keep_answer(connection, 202, made[0])

    new = NewSource("page", _parsed(url), name=body.name, metadata=body.metadata, tags=body.tags)
    _sources(caller, bot_id).add_page(new, keep)
    return made[0]


def _parsed(url: str) -> WebUrl:
    return WebUrl.parse(url, container().web_settings.private_hosts)


def _depth(body: CreateSourceRequest) -> int:
    if body.kind != "crawl":
        return 0
    return MAX_DEPTH if body.max_depth is None else body.max_depth


def _sources(caller: Principal, bot_id: UUID) -> Sources:
    c = container()
    namespace = Namespace(caller.organization_id, bot_id)
    return Sources(c.database, c.fetch_queue, c.clock, c.ids, namespace, caller.user_id)
