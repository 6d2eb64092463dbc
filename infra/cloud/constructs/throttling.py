"""How many requests the API takes: of all kinds, and of those that cost most."""

from collections.abc import Iterable
from typing import Final

from aws_cdk import aws_apigateway as apigateway

from infra.catalog import FunctionSpec, HttpTrigger, Route
from infra.cloud.config import DeploymentConfig, Profile

STREAMING_SHARE: Final = 5
"""A question holds its function for seconds: of a second's requests every fifth may be one."""

SIGN_IN_SHARE: Final = 10
SIGN_IN: Final = "/v1/auth/"
"""A password is expensive to check, on purpose: of a second's requests every tenth may bring one."""

VISITOR_SHARE: Final = 10
"""Nobody answers for what comes without a credential and makes us work: visitors' questions, others' webhooks."""


def stage_options(
    config: DeploymentConfig, specs: Iterable[FunctionSpec]
) -> dict[str, apigateway.MethodDeploymentOptions]:
    """Return the settings of all methods (`/*/*`), and of each that has limits of its own."""
    options = {"/*/*": _options(config, 1)}
    for spec in specs:
        if isinstance(spec.trigger, HttpTrigger):
            for route in spec.trigger.routes:
                share = _share(route, spec.trigger)
                if share > 1:
                    options[f"{route.path}/{route.method}"] = _options(config, share)
    return options


def _share(route: Route, trigger: HttpTrigger) -> int:
    if route.path.startswith(SIGN_IN):
        return SIGN_IN_SHARE
    if route.public and route.method != "GET":
        return VISITOR_SHARE
    return STREAMING_SHARE if trigger.streaming else 1


def _options(config: DeploymentConfig, share: int) -> apigateway.MethodDeploymentOptions:
    """Return all settings of a method: one that has settings of its own inherits none.

    Metrics for each method cost $0.30 for each of five metrics of each method in use: only where money is no object.
    """
    return apigateway.MethodDeploymentOptions(
        throttling_rate_limit=max(1, config.api_requests_per_second // share),
        throttling_burst_limit=max(1, config.api_burst // share),
        metrics_enabled=config.profile is Profile.SCALE,
        logging_level=apigateway.MethodLoggingLevel.OFF,
        data_trace_enabled=False,
        caching_enabled=False,
    )
