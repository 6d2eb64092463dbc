"""Why a finding of cdk-nag is accepted; written where its cause stands."""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, reason: str, *rules: str) -> None:
    """Accept findings of AwsSolutions rules such as `IAM5[Resource::*]` on the construct and all below it."""
    for rule in rules:
        Validations.of(construct).acknowledge(Acknowledgment(id=f"AwsSolutions-{rule}", reason=reason))
