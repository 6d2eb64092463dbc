"""With which model, and at which revision, a bot is embedded; and where its vectors are (decision 0081)."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from chatsphere.db.database import Connection
from chatsphere.knowledge.retrieval.calibration import Calibration
from chatsphere.ports.vectors import Namespace

EMBEDDING: Final = """
    SELECT bots.embedding_model AS model, bots.embedding_revision AS revision, bots.embedding_dimensions AS dimensions,
        fitted.dense, fitted.coverage, fitted.intercept, fitted.threshold
    FROM bots
    LEFT JOIN embedding_calibrations fitted ON fitted.organization_id = app.current_organization()
        AND fitted.embedding_model = bots.embedding_model
    WHERE bots.organization_id = app.current_organization() AND bots.id = %(bot_id)s
"""
"""What readers search, and what the organization fitted to the model. Read in one statement: they belong together."""

CHOOSE_MODEL: Final = """
    UPDATE bots SET embedding_model = %(model)s, embedding_dimensions = %(dimensions)s
    WHERE organization_id = app.current_organization() AND id = %(bot_id)s AND embedding_model IS NULL
"""
"""Let a bot that was never embedded be embedded by this model from now on."""

PLACES: Final = """
    SELECT embedding_revision AS revision, embedding_dimensions AS dimensions
    FROM bots
    WHERE organization_id = app.current_organization() AND id = %(bot_id)s
    UNION ALL
    SELECT revision, dimensions
    FROM training_runs
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND kind = 'reembed'
      AND (status = 'running' OR obsolete_revision = revision)
    UNION ALL
    SELECT former_revision, former_dimensions
    FROM training_runs
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND obsolete_revision = former_revision
"""
"""The revisions of which there may be vectors: what readers search, what a run makes, what is yet to be deleted."""


COMING: Final = """
    SELECT embedding_model AS model, revision, dimensions
    FROM training_runs
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND kind = 'reembed'
      AND status = 'running'
"""
"""What readers will search when the run that is under way has ended."""


@dataclass(frozen=True, slots=True)
class BotEmbedding:
    """A model, and where its vectors are. `model` is None before the first document: then it is the deployment's.

    `fitted`: what the organization calibrated the model to, None where it did not.
    """

    model: str | None
    namespace: Namespace
    fitted: Calibration | None = None


def bot_embedding(connection: Connection, organization_id: UUID, bot_id: UUID) -> BotEmbedding:
    """Return what readers of the bot search now; of a bot that is gone, what they would have in the beginning."""
    row = connection.execute(EMBEDDING, {"bot_id": bot_id}).fetchone()
    if row is None:
        return BotEmbedding(None, Namespace(organization_id, bot_id))
    namespace = Namespace(organization_id, bot_id, row["revision"], row["dimensions"])
    return BotEmbedding(row["model"], namespace, Calibration.stored(row))


def coming_embedding(connection: Connection, organization_id: UUID, bot_id: UUID) -> BotEmbedding | None:
    """Return what a run under way makes, None where there is none."""
    row = connection.execute(COMING, {"bot_id": bot_id}).fetchone()
    if row is None:
        return None
    return BotEmbedding(row["model"], Namespace(organization_id, bot_id, row["revision"], row["dimensions"]))


def choose_model(connection: Connection, bot_id: UUID, model: str, dimensions: int) -> None:
    """Let the bot be embedded by this model, unless one was chosen before. Holds the bot's row where none was."""
    connection.execute(CHOOSE_MODEL, {"bot_id": bot_id, "model": model, "dimensions": dimensions})


def bot_namespaces(connection: Connection, organization_id: UUID, bot_id: UUID) -> list[Namespace]:
    """Return every namespace in which the bot may have vectors; also of a bot that is gone, the first one."""
    found: dict[int, int | None] = {}
    for row in connection.execute(PLACES, {"bot_id": bot_id}):
        place: dict[str, Any] = dict(row)
        found[place["revision"]] = place["dimensions"] or found.get(place["revision"])
    found = found or {0: None}
    return [Namespace(organization_id, bot_id, revision, dimensions) for revision, dimensions in sorted(found.items())]
