"""The SQL of stored calibrations. Search reads them with the bot (`chatsphere.knowledge.embedding`)."""

from typing import Final

PUT: Final = """
    INSERT INTO embedding_calibrations (
        organization_id, embedding_model, dense, coverage, intercept, threshold, fitted_on, fitted_at)
    VALUES (
        app.current_organization(), %(model)s, %(dense)s, %(coverage)s, %(intercept)s, %(threshold)s, %(fitted_on)s,
        %(now)s)
    ON CONFLICT (organization_id, embedding_model) DO UPDATE SET
        dense = EXCLUDED.dense, coverage = EXCLUDED.coverage, intercept = EXCLUDED.intercept,
        threshold = EXCLUDED.threshold, fitted_on = EXCLUDED.fitted_on, fitted_at = EXCLUDED.fitted_at
"""
"""Keep a calibration in place of the one before."""

DELETE: Final = """
    DELETE FROM embedding_calibrations
    WHERE organization_id = app.current_organization() AND embedding_model = %(model)s
"""
"""Go back to what is built in."""

ALL: Final = """
    SELECT embedding_model, dense, coverage, intercept, threshold, fitted_on, fitted_at
    FROM embedding_calibrations WHERE organization_id = app.current_organization()
"""
"""What the organization has fitted: one row a model."""
