"""Bodies of the calibrations' requests and responses."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from chatsphere.http.models import ApiRequest, ApiResponse
from chatsphere.knowledge.calibration.calibrations import FittedCalibration
from chatsphere.knowledge.retrieval.calibration import BUILT_IN, WORDS_ALONE, Calibration

# Cosines and shares are at most 1: beyond this every confidence is 0 or 1.
Coefficient = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]
Threshold = Annotated[float, Field(ge=0, le=1, description="Confidence below which a question is refused.")]


class FittedOn(ApiRequest):
    """What a calibration was fitted on, and what was measured on questions that were held back."""

    sets: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(min_length=1, max_length=50)
    examples: int = Field(ge=1, le=10_000_000)
    auc: float | None = Field(default=None, ge=0, le=1)
    expected_calibration_error: float | None = Field(default=None, ge=0, le=1)


class PutCalibrationRequest(ApiRequest):
    """Log-odds that what was found answers the question: intercept + dense · cosine + coverage · share of its words."""

    dense: Coefficient
    coverage: Coefficient
    intercept: Coefficient
    threshold: Threshold
    fitted_on: FittedOn


class CalibrationResponse(ApiResponse):
    """What a confidence rests on. `source` is the organization's own fit, ChatSphere's, or `words_alone`: of this
    model's cosines nothing is known, and they are not looked at.
    """

    source: Literal["organization", "built_in", "words_alone"]
    dense: float
    coverage: float
    intercept: float
    threshold: float
    fitted_on: FittedOn | None = None
    fitted_at: datetime | None = None


def calibration_response(model: str, fitted: FittedCalibration | None) -> CalibrationResponse:
    """Return what holds for a model in an organization that has fitted this to it."""
    if fitted is not None:
        known = FittedOn.model_validate(fitted.fitted_on)
        return _shown("organization", fitted.calibration, known, fitted.fitted_at)
    if model in BUILT_IN:
        return _shown("built_in", BUILT_IN[model])
    return _shown("words_alone", WORDS_ALONE)


def _shown(
    source: Literal["organization", "built_in", "words_alone"],
    calibration: Calibration,
    fitted_on: FittedOn | None = None,
    fitted_at: datetime | None = None,
) -> CalibrationResponse:
    return CalibrationResponse(
        source=source,
        dense=calibration.dense,
        coverage=calibration.coverage,
        intercept=calibration.intercept,
        threshold=calibration.threshold,
        fitted_on=fitted_on,
        fitted_at=fitted_at,
    )
