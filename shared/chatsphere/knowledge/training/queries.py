"""SQL of training runs. A run is looked at, and changed, by its id within its tenant."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

_RUN: Final = "organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(run_id)s"

_AHEAD: Final = """
    FROM documents d
    JOIN embedding_batches b
        ON b.document_id = d.id AND b.generation = d.live_generation AND b.revision = {former}
    WHERE d.organization_id = app.current_organization() AND d.bot_id = {bot} AND d.status <> 'deleting'
      AND NOT EXISTS (
        SELECT FROM embedding_batches made
        WHERE made.document_id = b.document_id AND made.generation = b.generation AND made.batch = b.batch
          AND made.revision = {revision})"""
"""Batches of what readers see that are not embedded at a run's revision yet."""

_AHEAD_OF_RUN: Final = _AHEAD.format(former="%(former_revision)s", bot="%(bot_id)s", revision="%(revision)s")
_AHEAD_OF_ROW: Final = _AHEAD.format(former="r.former_revision", bot="r.bot_id", revision="r.revision")

ESTIMATE: Final = """
    SELECT bots.embedding_model AS model, bots.embedding_revision AS revision,
        bots.embedding_dimensions AS dimensions, counted.documents, counted.chunks, counted.tokens,
        (SELECT count(*) FROM documents d
         JOIN embedding_batches b ON b.document_id = d.id AND b.generation = d.live_generation
             AND b.revision = bots.embedding_revision
         WHERE d.organization_id = app.current_organization() AND d.bot_id = bots.id
           AND d.status <> 'deleting') AS batches
    FROM bots, (
        SELECT count(*) AS documents, COALESCE(sum(chunk_count), 0)::bigint AS chunks,
            COALESCE(sum(token_count), 0)::bigint AS tokens
        FROM documents
        WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
          AND live_generation IS NOT NULL AND status <> 'deleting') counted
    WHERE bots.organization_id = app.current_organization() AND bots.id = %(bot_id)s
"""
"""What readers of a bot search, and how much of it there is."""

IS_RUNNING: Final = """
    SELECT 1 FROM training_runs
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND kind = 'reembed'
      AND status = 'running'
"""
"""Whether the bot is being embedded anew."""

START: Final = """
    INSERT INTO training_runs (
        id, organization_id, bot_id, kind, status, embedding_model, dimensions, revision,
        former_model, former_revision, former_dimensions, estimate, lease_expires_at, started_at)
    SELECT %(run_id)s, app.current_organization(), bots.id, 'reembed', 'running', %(model)s, %(dimensions)s,
        1 + GREATEST(bots.embedding_revision, (
            SELECT max(GREATEST(revision, former_revision)) FROM training_runs
            WHERE organization_id = app.current_organization() AND bot_id = bots.id)),
        bots.embedding_model, bots.embedding_revision, bots.embedding_dimensions, %(estimate)s,
        %(lease_expires_at)s, %(now)s
    FROM bots
    WHERE bots.organization_id = app.current_organization() AND bots.id = %(bot_id)s
"""
"""Begin a run. No revision is ever used twice: whoever still writes for a former run must not meet it."""

_SHOWN: Final = f"""
    SELECT r.id, r.bot_id, r.kind, r.status, r.embedding_model, r.former_model, r.document_count, r.failed_count,
        r.page_count, r.chunk_count, r.token_count, r.cost_microdollars, r.estimate, r.done_batches,
        CASE WHEN r.kind = 'reembed' AND r.status = 'running'
            THEN r.done_batches + (SELECT count(*) {_AHEAD_OF_ROW}) ELSE r.total_batches END AS total_batches,
        r.error_code, r.started_at, r.finished_at,
        CASE WHEN r.status = 'running' THEN r.awaits_budget_since END AS awaits_budget_since
    FROM training_runs r
    WHERE r.organization_id = app.current_organization() AND r.bot_id = %(bot_id)s"""

GET: Final = f"{_SHOWN} AND r.id = %(run_id)s"
"""One run. How many batches there are follows the bot while the run goes on."""

PAGE: Final = f"""{_SHOWN}
      AND (%(after)s::uuid IS NULL OR r.id < %(after)s) AND (%(kind)s::text IS NULL OR r.kind = %(kind)s)
    ORDER BY r.id DESC LIMIT %(limit)s
"""
"""Some of a bot's runs, newest first."""

# ---------------------------------------------------------------------------------------------- going on

TAKE_UP: Final = f"""
    UPDATE training_runs SET lease_expires_at = %(lease_expires_at)s
    WHERE {_RUN} AND kind = 'reembed' AND ((status = 'running' AND (
        -- The next wave of a run that was put aside is not sent: it would be refused as well.
        awaits_budget_since IS NULL OR %(document_id)s::uuid IS NULL)) OR (
        obsolete_revision IS NOT NULL AND (cleaned_at IS NULL OR lease_expires_at <= %(now)s)))
    RETURNING status, embedding_model, revision, dimensions, former_revision, former_dimensions, obsolete_revision,
        cleaned_at
"""
"""Do what is next for a run; no row where nothing is."""

AHEAD: Final = f"""
    SELECT b.document_id, b.generation, b.batch {_AHEAD_OF_RUN}
      AND (%(document_id)s::uuid IS NULL OR (b.document_id, b.batch) > (%(document_id)s::uuid, %(batch)s::integer))
    ORDER BY b.document_id, b.batch LIMIT %(limit)s
"""
"""The next batches that the run has to embed."""

IS_AHEAD: Final = f"SELECT EXISTS (SELECT {_AHEAD_OF_RUN}) AS ahead"
"""Whether the run has anything left to embed."""

BEGIN_BATCH: Final = """
    SELECT d.name, r.embedding_model, r.revision, r.dimensions, r.former_revision,
        EXISTS (SELECT FROM embedding_batches b
                WHERE b.document_id = d.id AND b.generation = d.live_generation AND b.batch = %(batch)s
                  AND b.revision = r.revision) AS embedded
    FROM training_runs r, documents d
    WHERE r.organization_id = app.current_organization() AND r.bot_id = %(bot_id)s AND r.id = %(training_run_id)s
      AND r.status = 'running'
      AND d.organization_id = app.current_organization() AND d.bot_id = %(bot_id)s AND d.id = %(document_id)s
      AND d.live_generation = %(generation)s AND d.status <> 'deleting'
"""
"""A batch to be embedded for a run; no row where the run has ended or the generation is not what readers see."""

HOLD_DOCUMENT: Final = """
    SELECT 1 FROM documents
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(document_id)s
      AND live_generation = %(generation)s AND status <> 'deleting'
    FOR NO KEY UPDATE
"""
"""Keep a document as it is until the transaction ends; no row where the generation is not what readers see."""

COUNT_BATCH: Final = """
    UPDATE training_runs
    SET done_batches = done_batches + %(new)s, chunk_count = chunk_count + %(new)s * %(chunks)s,
        token_count = token_count + %(tokens)s, cost_microdollars = cost_microdollars + %(cost)s,
        attempts = 0, lease_expires_at = %(lease_expires_at)s, awaits_budget_since = NULL
    WHERE organization_id = app.current_organization() AND id = %(training_run_id)s AND status = 'running'
    RETURNING 1
"""
"""Count a batch of a run that goes on; `new` is 0 where it was embedded before, and paid for once more."""

AWAIT_BUDGET: Final = """
    UPDATE training_runs
    SET attempts = 0, lease_expires_at = %(lease_expires_at)s,
        awaits_budget_since = COALESCE(awaits_budget_since, %(now)s)
    WHERE organization_id = app.current_organization() AND id = %(training_run_id)s AND status = 'running'
"""
"""Put a run aside: the month's budget has no room for a batch of it."""

PLACE: Final = """
    SELECT r.status, r.embedding_model, r.revision, r.dimensions, r.former_revision,
        r.status = 'running' OR (r.status = 'succeeded' AND r.revision = bots.embedding_revision) AS wanted
    FROM training_runs r JOIN bots ON bots.id = r.bot_id
    WHERE r.organization_id = app.current_organization() AND r.bot_id = %(bot_id)s AND r.id = %(training_run_id)s
"""
"""A run, and whether readers search what it wrote, or will; no row where the bot is gone."""

# ------------------------------------------------------------------------------------------------ ending

HOLD_BOT: Final = """
    SELECT embedding_revision FROM bots
    WHERE organization_id = app.current_organization() AND id = %(bot_id)s AND status <> 'deleting'
    FOR NO KEY UPDATE
"""
"""Hold the bot until the transaction ends: no document goes live meanwhile."""

SWITCH: Final = """
    UPDATE bots
    SET embedding_model = %(embedding_model)s, embedding_dimensions = %(dimensions)s,
        embedding_revision = %(revision)s, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(bot_id)s
"""
"""Let readers search what the run has made."""

END: Final = f"""
    UPDATE training_runs
    SET status = %(status)s, error_code = %(error_code)s, finished_at = %(now)s, lease_expires_at = %(now)s,
        total_batches = done_batches,
        document_count = CASE WHEN %(status)s = 'succeeded' THEN (
            SELECT count(*) FROM documents d
            WHERE d.organization_id = app.current_organization() AND d.bot_id = %(bot_id)s
              AND d.live_generation IS NOT NULL AND d.status <> 'deleting') ELSE document_count END,
        obsolete_revision = CASE WHEN %(status)s = 'succeeded' THEN former_revision ELSE revision END
    WHERE {_RUN} AND kind = 'reembed' AND status = 'running'
    RETURNING revision, former_revision, embedding_model, token_count, cost_microdollars
"""
"""End a run, and say which of its two revisions is to be deleted; no row where it has ended."""

COUNT_USAGE: Final = """
    INSERT INTO usage_events
        (id, organization_id, bot_id, metric, value, model, cost_microdollars, metadata, created_at)
    SELECT %(event_id)s, app.current_organization(), %(bot_id)s, 'embedding', %(token_count)s, %(embedding_model)s,
        %(cost_microdollars)s, jsonb_build_object('training_run_id', %(run_id)s::text), %(now)s
    WHERE %(token_count)s > 0
"""
"""Count what a run took; `value` is tokens."""

UNFINISHED: Final = """
    SELECT b.document_id, b.generation, b.batch
    FROM documents d
    JOIN embedding_batches b
        ON b.document_id = d.id AND b.generation = d.generation AND b.revision = %(former_revision)s
    WHERE d.organization_id = app.current_organization() AND d.bot_id = %(bot_id)s
      AND d.status IN ('registered', 'extracting', 'embedding') AND b.generation IS DISTINCT FROM d.live_generation
      AND NOT EXISTS (
        SELECT FROM embedding_batches made
        WHERE made.document_id = b.document_id AND made.generation = b.generation AND made.batch = b.batch
          AND made.revision = %(revision)s)
"""
"""Batches of generations under way that were embedded at the former revision only, before the run began."""

FORGET_BATCHES: Final = """
    DELETE FROM embedding_batches b
    USING documents d
    WHERE d.organization_id = app.current_organization() AND d.bot_id = %(bot_id)s AND b.document_id = d.id
      AND b.revision = %(obsolete)s
"""
"""Forget which batches were embedded at a revision that nobody needs any more."""

# ---------------------------------------------------------------------------------------------- cleaning

FIND_CLEAN: Final = f"""
    UPDATE training_runs
    SET cleaned_at = COALESCE(cleaned_at, %(now)s),
        obsolete_revision = CASE WHEN cleaned_at IS NULL THEN obsolete_revision END,
        lease_expires_at = CASE WHEN cleaned_at IS NULL THEN %(second_look_at)s::timestamptz END
    WHERE {_RUN}
"""
"""Note that no vector is left; the second time, that nothing remains to be done."""

# ---------------------------------------------------------------------------------------------- reviving

REVIVE: Final = f"""
    UPDATE training_runs
    SET attempts = CASE WHEN status = 'running' THEN attempts + 1 ELSE attempts END,
        lease_expires_at = CASE WHEN status = 'running' THEN %(lease_expires_at)s ELSE lease_expires_at END
    WHERE {_RUN} AND lease_expires_at <= %(now)s
    RETURNING status, attempts
"""
"""Take up a run that nobody is at; no row where somebody is."""
