"""Calibrations of an organization, by embedding model. Each function runs in the caller's transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from chatsphere.db.database import Connection
from chatsphere.errors import NotFoundError
from chatsphere.knowledge.calibration import queries
from chatsphere.knowledge.retrieval.calibration import Calibration


@dataclass(frozen=True, slots=True)
class FittedCalibration:
    """A calibration, what it was fitted on, as whoever fitted it says, and when."""

    calibration: Calibration
    fitted_on: Mapping[str, Any]
    fitted_at: datetime


def put(connection: Connection, model: str, fitted: FittedCalibration) -> None:
    """Keep a calibration of this model in place of the one before."""
    found = fitted.calibration
    values = {
        "model": model,
        "dense": found.dense,
        "coverage": found.coverage,
        "intercept": found.intercept,
        "threshold": found.threshold,
        "fitted_on": Jsonb(dict(fitted.fitted_on)),
        "now": fitted.fitted_at,
    }
    connection.execute(queries.PUT, values)


def remove(connection: Connection, model: str) -> None:
    """Go back to what is built in.

    Raises:
        NotFoundError: the organization has fitted nothing to this model.
    """
    if connection.execute(queries.DELETE, {"model": model}).rowcount == 0:
        raise NotFoundError("There is no calibration of this model.")


def stored(connection: Connection) -> dict[str, FittedCalibration]:
    """Return what the organization has fitted, by model."""
    found = {}
    for row in connection.execute(queries.ALL):
        calibration = Calibration(row["dense"], row["coverage"], row["intercept"], row["threshold"])
        found[row["embedding_model"]] = FittedCalibration(calibration, row["fitted_on"], row["fitted_at"])
    return found
