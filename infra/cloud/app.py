"""Where `cdk` enters (`cdk.json`): the stacks of one deployment, in the order of their life cycles."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from aws_cdk import App, Tags, Validations
from cdk_nag import AwsSolutionsChecks

from infra.catalog import FUNCTIONS
from infra.cloud.assets import Assets, BuiltAssets
from infra.cloud.config import ConfigError, DeploymentConfig, load_config
from infra.cloud.constructs.catalog_function import CatalogFunction
from infra.cloud.stacks.api import ApiStack
from infra.cloud.stacks.backup import BackupStack, CopyStack
from infra.cloud.stacks.data import DataStack
from infra.cloud.stacks.ingestion import IngestionStack
from infra.cloud.stacks.jobs import JobsStack
from infra.cloud.stacks.network import NetworkStack
from infra.cloud.stacks.observability import ObservabilityStack
from infra.cloud.stacks.secrets import SecretsStack
from infra.function_environment import MissingValueError
from infra.packaging.errors import PackagingError

DEFAULT_DEPLOYMENT: Final = "lean-dev"
WRONG_INPUT: Final = 2
CDK_JSON: Final = Path(__file__).parents[2] / "cdk.json"


class UnplacedFunctionError(Exception):
    """The catalog has a function whose trigger belongs to no stack."""


EXPECTED_ERRORS: Final = (ConfigError, MissingValueError, PackagingError, UnplacedFunctionError)


def build_app(config: DeploymentConfig, assets: Assets, *, outdir: Path | None = None) -> App:
    """Return the application with every stack of the deployment; nothing is written before it is synthesized.

    Raises:
        MissingValueError: a function requires a variable for which the deployment has no value.
        PackagingError: a function or a layer cannot be built.
        UnplacedFunctionError: no stack knows what starts a function.
    """
    app = App(
        # None: where the CDK's command line wants it.
        outdir=str(outdir) if outdir else None,
        auto_synth=False,
        analytics_reporting=False,
        context=_feature_flags(),
    )
    prefix = config.prefix
    network = NetworkStack(app, f"{prefix}-network", config=config)
    secrets = SecretsStack(app, f"{prefix}-secrets", config=config)
    data = DataStack(app, f"{prefix}-data", config=config, assets=assets, network=network, secrets=secrets)
    ingestion = IngestionStack(app, f"{prefix}-ingestion", platform=data.platform)
    api = ApiStack(app, f"{prefix}-api", platform=data.platform)
    jobs = JobsStack(app, f"{prefix}-jobs", platform=data.platform)
    for stack in (ingestion, api, jobs):
        # The migrations of this deployment come before the code that expects them.
        stack.add_stack_dependency(data)
    functions: Mapping[str, CatalogFunction] = {
        **data.functions,
        **ingestion.functions,
        **api.functions,
        **jobs.functions,
    }
    _check_complete(functions)
    ObservabilityStack(
        app,
        f"{prefix}-observability",
        platform=data.platform,
        functions=functions,
        rest_api=api.rest_api,
        cluster=data.cluster,
        proxy=data.proxy,
        schedules_dead_letter_queue=jobs.dead_letter_queue,
    )
    if config.backup_copy_region:
        _copy_backups(app, config, config.backup_copy_region, secrets, data)
    Tags.of(app).add("deployment", prefix)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return app


def _copy_backups(app: App, config: DeploymentConfig, region: str, secrets: SecretsStack, data: DataStack) -> None:
    copies = CopyStack(app, f"{config.prefix}-copies", config=config, region=region)
    plan = BackupStack(
        app, f"{config.prefix}-backup", config=config, region=region, key=secrets.key, cluster=data.cluster
    )
    # The plan names the vault in the other region, and nothing passes between regions but the order.
    plan.add_stack_dependency(copies)


def _check_complete(functions: Mapping[str, CatalogFunction]) -> None:
    unplaced = [spec for spec in FUNCTIONS if spec.name not in functions]
    if unplaced:
        described = ", ".join(f"{spec.name} ({type(spec.trigger).__name__})" for spec in unplaced)
        raise UnplacedFunctionError(f"No stack knows what starts: {described}")


def chosen_deployment() -> str:
    """Return the name that `-c deployment=<name>` gave to the CDK's command line."""
    return str(App(auto_synth=False).node.try_get_context("deployment") or DEFAULT_DEPLOYMENT)


def main() -> int:
    """Synthesize the chosen deployment to where the CDK's command line reads it; return the exit code."""
    try:
        build_app(load_config(chosen_deployment()), BuiltAssets()).synth()
    except EXPECTED_ERRORS as error:
        print(error, file=sys.stderr)
        return WRONG_INPUT
    return 0


def _feature_flags() -> dict[str, Any]:
    """Return the library's behaviour of today; the same whether `cdk` or a test synthesizes."""
    flags: dict[str, Any] = json.loads(CDK_JSON.read_text())["context"]
    return flags


if __name__ == "__main__":
    sys.exit(main())
