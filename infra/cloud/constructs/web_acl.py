"""The web application firewall before the API."""

from typing import Any, Final

from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

REQUESTS_PER_FIVE_MINUTES: Final = 2_000
"""From one address; an office behind one address counts as one."""

COUNTED: Final = {
    # A document's text or a question may be long, and may be about anything, attacks on web sites included. It is
    # data to us: it is never run, rendered or put into SQL.
    "AWSManagedRulesCommonRuleSet": (
        "SizeRestrictions_BODY",
        "CrossSiteScripting_BODY",
        "EC2MetaDataSSRF_BODY",
        "GenericLFI_BODY",
        "GenericRFI_BODY",
        # Programs call the API, and not every one says its name.
        "NoUserAgent_HEADER",
    ),
    "AWSManagedRulesKnownBadInputsRuleSet": (
        "JavaDeserializationRCE_BODY",
        "Log4JRCE_BODY",
        "ReactJSRCE_BODY",
    ),
}
"""AWS's rule groups, and of each the rules that only count."""


class WebAcl(Construct):
    """AWS's common rules and known bad inputs, and a limit for each address."""

    def __init__(self, scope: Construct, name: str, stage_arn: str) -> None:
        super().__init__(scope, "WebAcl")
        groups = [_managed_group(priority, group, name) for priority, group in enumerate(COUNTED, start=1)]
        acl = wafv2.CfnWebACL(
            self,
            "Acl",
            name=name,
            scope="REGIONAL",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_visibility(name),
            rules=[_rate_limit(name), *groups],
        )
        wafv2.CfnWebACLAssociation(self, "Association", resource_arn=stage_arn, web_acl_arn=acl.attr_arn)


def _visibility(name: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    """Return metrics without samples: a sampled request shows its headers, and with them a credential."""
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=False
    )


def _rate_limit(name: str) -> Any:
    return wafv2.CfnWebACL.RuleProperty(
        name="limit-each-address",
        priority=0,
        action=wafv2.CfnWebACL.RuleActionProperty(block={}),
        statement=wafv2.CfnWebACL.StatementProperty(
            rate_based_statement=wafv2.CfnWebACL.RateBasedStatementProperty(
                aggregate_key_type="IP", limit=REQUESTS_PER_FIVE_MINUTES, evaluation_window_sec=300
            )
        ),
        visibility_config=_visibility(f"{name}-limit-each-address"),
    )


def _managed_group(priority: int, group: str, name: str) -> Any:
    counted = [
        wafv2.CfnWebACL.RuleActionOverrideProperty(
            name=rule, action_to_use=wafv2.CfnWebACL.RuleActionProperty(count={})
        )
        for rule in COUNTED[group]
    ]
    return wafv2.CfnWebACL.RuleProperty(
        name=group,
        priority=priority,
        override_action=wafv2.CfnWebACL.OverrideActionProperty(none={}),
        statement=wafv2.CfnWebACL.StatementProperty(
            managed_rule_group_statement=wafv2.CfnWebACL.ManagedRuleGroupStatementProperty(
                vendor_name="AWS", name=group, rule_action_overrides=counted
            )
        ),
        visibility_config=_visibility(f"{name}-{group}"),
    )
