"""What stands in for what MiniStack cannot take: the whole list, each with its reason.

Nothing else is changed on the synthesized templates, and nothing in the product.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tests.emulator import changes
from tests.emulator.changes import FUNCTION, GATEWAY_RESPONSES, MASTER_SECRET, REST_API, SECRET, SEND, Outside
from tests.emulator.templates import Template, leave_out, resources

Apply = Callable[[Template, Outside], int]
"""Changes a template in place and returns at how many places."""


@dataclass(frozen=True)
class Substitution:
    """One row of the table."""

    subject: str
    instead: str
    why: str
    apply: Apply


def _left_out(kind: str, why: str) -> Substitution:
    def apply(template: Template, _outside: Outside) -> int:
        found = [logical_id for logical_id, _ in resources(template, kind)]
        for logical_id in found:
            leave_out(template, logical_id)
        return len(found)

    return Substitution(kind, "left out", why, apply)


_NETWORK: Final = "MiniStack's CloudFormation has no such type; functions run as processes and use no VPC"
_AWS_SDK: Final = "AWS's own handler needs the AWS SDK for JavaScript, which only Lambda's Node runtime has"

TABLE: Final = (
    _left_out("AWS::EC2::Instance", f"{_NETWORK} (the NAT instance)"),
    _left_out("AWS::EC2::FlowLog", _NETWORK),
    _left_out("Custom::VpcRestrictDefaultSG", _AWS_SDK),
    _left_out("Custom::S3AutoDeleteObjects", f"{_AWS_SDK}; it only acts when a stack is deleted"),
    _left_out("AWS::Budgets::Budget", "MiniStack's CloudFormation has no such type"),
    Substitution(
        "AWS's public SSM parameter with the newest machine image",
        "an image that does not exist",
        "MiniStack publishes no such parameter and, as AWS does, lets nobody else",
        changes.public_images,
    ),
    Substitution(
        "AWS::RDS::DBCluster: connections",
        "an embedded PostgreSQL 16 with pgvector; DATABASE_URL and its like name it, with passwords",
        "MiniStack records a cluster and runs none without Docker, and so signs no IAM login",
        changes.database_urls,
    ),
    Substitution(
        f"AWS::RDS::DBCluster: {MASTER_SECRET}",
        "a secret with the embedded server's administrator, who is no superuser there either",
        "MiniStack makes no secret for a cluster that manages its administrator's password",
        changes.administrator_secret,
    ),
    Substitution(
        f"{SECRET}: Ref",
        "its attribute Id, which is the same ARN",
        "MiniStack's Ref is the secret's name, which no policy permits",
        changes.secret_references,
    ),
    Substitution(
        f"AWS::IAM::Policy that permits {SEND}",
        f"it permits {SEND}Batch as well",
        f"AWS asks for {SEND} for the batched call, too; MiniStack for an action of the call's name, which AWS lacks",
        changes.batched_sending,
    ),
    Substitution(
        "GEMINI_URL of the functions that call Gemini",
        "the loopback server that speaks Gemini's wire format (tests/loopback)",
        "nothing here reaches beyond this machine",
        changes.gemini_url,
    ),
    Substitution(
        f"{FUNCTION} under the Lambda Web Adapter",
        "the same package's run.sh, behind a stand-in for the adapter (tests/emulator/web_adapter.py)",
        "the adapter's layer is AWS's, for arm64; MiniStack's local executor knows no exec wrapper",
        changes.web_adapter,
    ),
    Substitution(
        f"{REST_API}: integrations with responseTransferMode STREAM",
        "the function's buffered path, /invocations",
        "MiniStack's API Gateway has no streamed integration; it cannot resolve /response-streaming-invocations",
        changes.streamed_methods,
    ),
    Substitution(
        f"{REST_API}: {GATEWAY_RESPONSES}",
        "an AWS::ApiGateway::GatewayResponse for each",
        "MiniStack imports paths, integrations and authorizers of a definition, and not this",
        changes.gateway_responses,
    ),
)


def substitute(templates: Mapping[str, Template], outside: Outside) -> dict[str, int]:
    """Apply the whole table to the templates, in place; return at how many places each row did something."""
    return {row.subject: sum(row.apply(template, outside) for template in templates.values()) for row in TABLE}
