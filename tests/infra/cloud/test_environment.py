"""Each function's environment holds what its settings declare: all that is required, and nothing else."""

import re

import pytest

from chatsphere.settings import SECRET_SUFFIX, StripeSettings
from infra.catalog import FUNCTIONS, FunctionSpec
from infra.packaging.functions import is_streaming
from infra.packaging.web_adapter import VARIABLES as WEB_ADAPTER_VARIABLES
from tests.infra.cloud.templates import Deployment

POWERTOOLS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_LOG_LEVEL"}
every_function = pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)


def _declared(spec: FunctionSpec) -> set[str]:
    plain = {name for group in spec.settings for name in group.variables()}
    secret = {name + SECRET_SUFFIX for group in spec.settings for name in group.secrets()}
    return plain | secret


@every_function
def test_it_is_given_nothing_that_it_does_not_declare(deployment: Deployment, spec: FunctionSpec) -> None:
    web_adapter = set(WEB_ADAPTER_VARIABLES) if is_streaming(spec) else set()

    assert set(deployment.environment(spec.name)) <= _declared(spec) | POWERTOOLS | web_adapter


@every_function
def test_its_settings_load_from_what_it_is_given(deployment: Deployment, spec: FunctionSpec) -> None:
    environment = deployment.environment(spec.name)

    for group in spec.settings:
        group.load(environment, lambda arn: f"value of {arn}")


@every_function
def test_a_secret_is_named_and_never_written(deployment: Deployment, spec: FunctionSpec) -> None:
    environment = deployment.environment(spec.name)
    secrets = {name for group in spec.settings for name in group.secrets()}

    assert not secrets & set(environment)
    for name in secrets:
        arn = environment.get(name + SECRET_SUFFIX, "")
        assert re.fullmatch(r"|\$\{(secrets|data)\.\w+(\.MasterUserSecret\.SecretArn)?\}", arn), arn


@every_function
def test_it_knows_the_address_of_exactly_the_queues_that_it_sends_to_or_watches(
    deployment: Deployment, spec: FunctionSpec
) -> None:
    known = {name for name in deployment.environment(spec.name) if name.endswith("_QUEUE_URL")}

    assert known == {f"{queue.name.upper()}_QUEUE_URL" for queue in (*spec.sends_to, *spec.watches)}


def test_the_streaming_function_runs_under_the_web_adapter(deployment: Deployment) -> None:
    for spec in filter(is_streaming, FUNCTIONS):
        _, _, found = deployment.functions[spec.name]
        environment = deployment.environment(spec.name)

        assert found["Properties"]["Handler"] == "run.sh"
        assert environment["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/bootstrap"
        assert environment["AWS_LWA_INVOKE_MODE"] == "response_stream"
        layers = [deployment.text(deployment.stacks["api"], layer) for layer in found["Properties"]["Layers"]]
        assert re.fullmatch(
            r"arn:\S+:lambda:\$\{AWS::Region\}:753240598075:layer:LambdaAdapterLayerArm64:\d+", layers[-1]
        )


def test_connections_verify_the_server_and_hold_no_password(deployment: Deployment) -> None:
    for spec in FUNCTIONS:
        for name, value in deployment.environment(spec.name).items():
            if name.endswith("DATABASE_URL"):
                user, _, rest = value.removeprefix("postgresql://").rpartition("@")
                assert ":" not in user
                assert "sslmode=verify-full&sslrootcert=/opt/certs/" in rest


def test_functions_go_through_the_proxy_where_there_is_one_and_migrations_past_it(
    lean: Deployment, scale: Deployment
) -> None:
    def host(deployment: Deployment, function: str, variable: str) -> str:
        return re.split(r"//|@|:5432", deployment.environment(function)[variable])[-2]

    assert "DatabaseProxy" in host(scale, "manage_bots", "DATABASE_URL")
    assert "DatabaseCluster" in host(scale, "migrate_database", "ADMIN_DATABASE_URL")
    assert "DatabaseCluster" in host(lean, "manage_bots", "DATABASE_URL")


def test_a_function_waits_for_a_cluster_that_may_have_to_wake_up(lean: Deployment, scale: Deployment) -> None:
    assert int(lean.environment("manage_bots")["DATABASE_CONNECT_SECONDS"]) > 15
    assert "DATABASE_CONNECT_SECONDS" not in scale.environment("manage_bots")


def test_where_mail_is_configured_addresses_must_be_proved_and_elsewhere_none_is_sent(
    everything: Deployment, lean: Deployment
) -> None:
    mail = everything.environment("send_mail")
    assert (mail["MAILER"], mail["MAIL_FROM"]) == ("ses", "ChatSphere <no-reply@example.com>")
    assert mail["SES_CONFIGURATION_SET"] == "accounts"
    assert "REQUIRE_VERIFIED_EMAIL" not in everything.environment("manage_organizations")

    assert lean.environment("send_mail")["MAILER"] == "none"
    assert lean.environment("manage_organizations")["REQUIRE_VERIFIED_EMAIL"] == "false"


def test_stripes_prices_are_handed_on_as_the_settings_read_them(everything: Deployment) -> None:
    environment = everything.environment("manage_organizations")

    settings = StripeSettings.load(environment, lambda arn: f"value of {arn}")

    assert settings.prices == {"Basic": "price_1", "Pro": "price_2"}
    assert settings.billing_return_url == "https://console.example.com/billing"
