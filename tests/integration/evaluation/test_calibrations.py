"""What an organization fits to an embedding model decides the confidence of its searches."""

from urllib.parse import quote

import pytest

from tests.builders.running_api import RunningApi
from tests.integration.evaluation.conftest import Ask

MINILM = "all-minilm-l6-v2-int8"
PATH = f"/embedding-models/{MINILM}/calibration"
FITTED = {
    "dense": 7.5,
    "coverage": 3.0,
    "intercept": -4.0,
    "threshold": 0.3,
    "fitted_on": {"sets": ["handbook"], "examples": 600, "auc": 0.95, "expected_calibration_error": 0.04},
}


def shown(ask: Ask) -> dict[str, object]:
    [model] = [one for one in ask("GET", "/embedding-models").json["data"] if one["name"] == MINILM]
    return {"calibrated": model["calibrated"], **model["calibration"]}


def test_a_calibration_is_stored_shown_and_taken_back(api: RunningApi, ask: Ask) -> None:
    assert shown(ask)["source"] == "built_in"

    assert ask("PUT", PATH, FITTED | {"threshold": 0.2}).status == 200
    assert ask("PUT", PATH, FITTED).status == 200

    now = shown(ask)
    assert (now["calibrated"], now["source"], now["threshold"]) == (True, "organization", 0.3)
    assert now["fitted_on"] == FITTED["fitted_on"]
    stranger = api.register()
    models = api.request("GET", "/v1/embedding-models", token=stranger.access_token).json["data"]
    assert {one["calibration"]["source"] for one in models} == {"built_in"}
    assert (ask("DELETE", PATH).status, ask("DELETE", PATH).status) == (204, 404)
    assert shown(ask)["source"] == "built_in"


def test_a_model_that_nothing_is_known_of_is_not_calibrated(
    api: RunningApi, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    vars(api.container).pop("embedding_settings", None)
    monkeypatch.setenv("GEMINI_API_KEY", "of tests only")
    models = {one["name"]: one for one in ask("GET", "/embedding-models").json["data"]}

    name = next(name for name in models if name.startswith("gemini"))
    assert (models[name]["calibrated"], models[name]["calibration"]["source"]) == (False, "words_alone")
    # The name holds a colon, which a path encodes.
    assert ask("PUT", f"/embedding-models/{quote(name, safe='')}/calibration", FITTED).status == 200
    models = {one["name"]: one for one in ask("GET", "/embedding-models").json["data"]}
    assert models[name]["calibrated"]


@pytest.mark.parametrize(
    "wrong", [{"threshold": 1.1}, {"dense": 1e9}, {"fitted_on": {"sets": [], "examples": 1}}, {"extra": 1}]
)
def test_what_is_no_calibration_is_refused(ask: Ask, wrong: dict[str, object]) -> None:
    assert ask("PUT", PATH, FITTED | wrong).json["code"] == "invalid_request"


def test_of_a_model_that_nobody_has_nothing_is_kept(ask: Ask) -> None:
    assert ask("PUT", "/embedding-models/nobodys/calibration", FITTED).status == 404
    assert ask("DELETE", "/embedding-models/nobodys/calibration").status == 404
    assert ask("DELETE", "/embedding-models/nobody%00s/calibration").status == 404
