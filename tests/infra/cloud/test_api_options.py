"""What of the API is optional: pages of other origins, a name of one's own, the firewall."""

import re

from infra.catalog import FUNCTIONS, HttpTrigger
from tests.infra.cloud.templates import Deployment
from tests.infra.cloud.test_api import INTEGRATION, methods, only

BODY_RULES = {"SizeRestrictions_BODY", "CrossSiteScripting_BODY", "Log4JRCE_BODY"}


def test_preflight_requests_are_answered_for_the_consoles_origins_only(everything: Deployment) -> None:
    first, second = everything.config.console_origins
    api = everything.stacks["api"]
    preflights = methods(api, preflight=True)

    assert {path for _, path in methods(api)} == {path for _, path in preflights}
    for preflight in preflights.values():
        assert "security" not in preflight
        assert preflight[INTEGRATION]["type"] == "mock"
        (response,) = preflight[INTEGRATION]["responses"].values()
        headers = response["responseParameters"]
        (declared,) = preflight["responses"].items()
        assert declared[0] == response["statusCode"] == "204"
        assert {f"method.response.header.{name}" for name in declared[1]["headers"]} == set(headers)
        assert headers["method.response.header.Access-Control-Allow-Origin"] == f"'{first}'"
        assert headers["method.response.header.Vary"] == "'Origin'"
        assert "Authorization" in headers["method.response.header.Access-Control-Allow-Headers"]
        template = response["responseTemplates"]["application/json"]
        assert re.findall(r'\$origin == "(h[^"]*)"', template) == [second]
        assert "method.response.header.Access-Control-Allow-Credentials" not in headers


def test_without_origins_no_preflight_is_answered(scale: Deployment) -> None:
    assert scale.config.console_origins == ()
    assert methods(scale.stacks["api"], preflight=True) == {}


def test_every_function_that_answers_is_told_the_origins(everything: Deployment, scale: Deployment) -> None:
    for spec in FUNCTIONS:
        if isinstance(spec.trigger, HttpTrigger):
            told = everything.environment(spec.name)["CONSOLE_ORIGINS"].split(",")
            assert tuple(told) == everything.config.console_origins
            assert "CONSOLE_ORIGINS" not in scale.environment(spec.name)


def test_a_name_of_ones_own_takes_the_place_of_the_default_address(everything: Deployment) -> None:
    api = everything.stacks["api"]
    name = only(api.resources("AWS::ApiGateway::DomainName"))
    assert name["SecurityPolicy"] == "TLS_1_2"
    assert name["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert only(api.resources("AWS::ApiGateway::BasePathMapping"))["Stage"]
    assert only(api.resources("AWS::ApiGateway::RestApi"))["DisableExecuteApiEndpoint"] is True
    assert everything.environment("describe_api")["PUBLIC_URL"] == "https://api.example.com"


def test_the_firewall_lets_any_text_pass_and_keeps_no_samples_of_requests(scale: Deployment) -> None:
    api = scale.stacks["api"]
    acl = only(api.resources("AWS::WAFv2::WebACL"))
    groups = [rule["Statement"]["ManagedRuleGroupStatement"] for rule in acl["Rules"][1:]]
    counted = {o["Name"] for group in groups for o in group["RuleActionOverrides"] if o["ActionToUse"] == {"Count": {}}}

    assert counted >= BODY_RULES
    assert acl["Rules"][0]["Statement"]["RateBasedStatement"]["AggregateKeyType"] == "IP"
    for visible in [acl, *acl["Rules"]]:
        assert visible["VisibilityConfig"]["SampledRequestsEnabled"] is False
    assert only(api.resources("AWS::WAFv2::WebACLAssociation"))["ResourceArn"]


def test_lean_has_no_firewall(lean: Deployment) -> None:
    assert lean.of("AWS::WAFv2::WebACL") == []
