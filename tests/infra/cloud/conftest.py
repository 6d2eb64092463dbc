"""Each deployment is synthesized once, without the content of functions and layers."""

from pathlib import Path

import pytest

from infra.cloud.app import build_app
from infra.cloud.assets import PlaceholderAssets
from infra.cloud.config import DeploymentConfig, Domain, Mail, Profile, Stage, Stripe, load_config
from tests.infra.cloud.templates import Deployment, read_deployment


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep these tests in one process: a synthesis costs seconds, and starts Node."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("cloud"))


EVERYTHING = DeploymentConfig(
    name="everything",
    profile=Profile.SCALE,
    stage=Stage.DEV,
    console_origins=("https://console.example.com", "http://localhost:3000"),
    domain=Domain(
        name="api.example.com",
        certificate_arn="arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555",
    ),
    mail=Mail(
        sender="ChatSphere <no-reply@example.com>",
        link_base="https://console.example.com/links",
        configuration_set="accounts",
    ),
    ocr="textract",
    stripe=Stripe(return_url="https://console.example.com/billing", prices={"Basic": "price_1", "Pro": "price_2"}),
    alarm_email="operator@example.com",
    malware_scan=True,
    backup_days=35,
    backup_copy_region="eu-west-1",
)


def _synthesize(name: str, folder: Path) -> Deployment:
    return synthesized(load_config(name), folder)


def synthesized(config: DeploymentConfig, folder: Path) -> Deployment:
    """Return a deployment's templates."""
    build_app(config, PlaceholderAssets(folder / "assets"), outdir=folder / "out").synth()
    return read_deployment(config, folder / "out")


@pytest.fixture(scope="session")
def lean(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """The templates of lean-dev."""
    return _synthesize("lean-dev", tmp_path_factory.mktemp("lean"))


@pytest.fixture(scope="session")
def scale(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """The templates of scale-prod."""
    return _synthesize("scale-prod", tmp_path_factory.mktemp("scale"))


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """The templates of a deployment with all options."""
    return synthesized(EVERYTHING, tmp_path_factory.mktemp("everything"))


@pytest.fixture(params=["lean", "scale"])
def deployment(request: pytest.FixtureRequest) -> Deployment:
    """Each of the two."""
    chosen: Deployment = request.getfixturevalue(request.param)
    return chosen
