"""A wrong value in a deployment's file stops synthesis and is named."""

from pathlib import Path

import pytest

from infra.cloud.config import DEPLOYMENTS, ConfigError, Profile, load_config

RIGHT = {"profile": '"lean"', "stage": '"dev"'}
CAPACITY = {"min_acu": "0.5", "max_acu": "4"}

WRONG = {
    "name": ('"Chat Sphere"', "match pattern"),
    "profile": ('"huge"', "'lean' or 'scale'"),
    "stage": ('"test"', "'dev' or 'prod'"),
    "console_origins": ('["http://example.org"]', "match pattern"),
    "domain": ('{name = "api.example.org", certificate_arn = "mine"}', "match pattern"),
    "mail": ('{sender = "nobody"}', "match pattern"),
    "stripe": ('{return_url = "https://example.org", prices = {Pro = "99 euros"}}', "match pattern"),
    "default_plan": ('"Gold"', "'Free', 'Basic', 'Pro' or 'Enterprise'"),
    "alarm_email": ('"nobody"', "match pattern"),
    "monthly_budget_dollars": ("0", "greater than or equal to 1"),
    "waf": ('"perhaps"', "valid boolean"),
    "vector_store": ('"chroma"', "'pgvector', 'pinecone' or 'qdrant'"),
    "qdrant_url": ("5", "valid string"),
    "ocr": ('"tesseract"', "Input should be 'textract'"),
    "database": ("{min_acu = 2, max_acu = 1}", "min_acu is above max_acu"),
    "backup_days": ("36", "less than or equal to 35"),
    "backup_copy_region": ('"Ireland"', "match pattern"),
    "partition_by": ('"week"', "'month' or 'day'"),
    "usage_kept_days": ("1", "greater than or equal to 35"),
    "audit_kept_days": ("1", "greater than or equal to 35"),
    "log_retention_days": ("31", "Input should be 1, 3, 7"),
    "api_requests_per_second": ("0", "greater than or equal to 1"),
    "api_burst": ("100000", "less than or equal to 5000"),
    "pause": ("true", "Extra inputs are not permitted"),
}

INCONSISTENT = {
    "qdrant without an address": ({"vector_store": '"qdrant"'}, "requires qdrant_url"),
    "lean with a proxy": (
        {"database": "{min_acu = 1, max_acu = 4, proxy = true}"},
        "the profile lean has no RDS Proxy",
    ),
    "a proxy that would keep a paused cluster awake": (
        {"profile": '"scale"', "database": "{min_acu = 0, max_acu = 4, proxy = true}"},
        "database: Value error, RDS Proxy keeps connections open",
    ),
    "a capacity between two steps": (
        {"database": "{min_acu = 0.3, max_acu = 4}"},
        "database.min_acu: Input should be a multiple of 0.5",
    ),
    "a pause too short": (
        {"database": "{min_acu = 0, max_acu = 4, pause_after_minutes = 1}"},
        "database.pause_after_minutes",
    ),
}


def _write(folder: Path, **values: str) -> None:
    (folder / "mine.toml").write_text("".join(f"{name} = {value}\n" for name, value in {**RIGHT, **values}.items()))


@pytest.mark.parametrize("field", WRONG)
def test_a_wrong_value_is_refused_by_file_and_field(tmp_path: Path, field: str) -> None:
    value, problem = WRONG[field]
    _write(tmp_path, **{field: value})

    with pytest.raises(ConfigError, match=rf"^mine\.toml: .*{field}") as raised:
        load_config("mine", tmp_path)

    assert problem in str(raised.value)


@pytest.mark.parametrize("case", INCONSISTENT)
def test_values_that_do_not_fit_each_other_are_refused(tmp_path: Path, case: str) -> None:
    values, problem = INCONSISTENT[case]
    _write(tmp_path, **values)

    with pytest.raises(ConfigError) as raised:
        load_config("mine", tmp_path)

    assert problem in str(raised.value)


def test_a_file_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("profile: lean")

    with pytest.raises(ConfigError, match=r"^mine\.toml: "):
        load_config("mine", tmp_path)


def test_an_unknown_deployment_is_answered_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="There is no deployment 'mine'; there are: lean-dev, lean-prod, scale-prod"):
        load_config("mine")


def test_a_missing_profile_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('stage = "dev"')

    with pytest.raises(ConfigError, match="profile: Field required"):
        load_config("mine", tmp_path)


@pytest.mark.parametrize("name", sorted(path.stem for path in DEPLOYMENTS.glob("*.toml")))
def test_every_deployment_of_the_repository_is_right_and_has_a_name_that_fits(name: str) -> None:
    config = load_config(name)

    assert name == f"{config.profile}-{config.stage}"
    assert config.capacity.proxy is (config.profile is Profile.SCALE)
