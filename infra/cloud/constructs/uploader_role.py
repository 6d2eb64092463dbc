"""The role behind temporary credentials: people drag and drop into one bot's prefix."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.cloud.constructs.function_permissions import acknowledge_objects, objects_of
from infra.cloud.platform import Platform

UPLOADER_ROLE_ARN: Final = "UPLOADER_ROLE_ARN"
PUT_ACTIONS: Final = ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject")


class UploaderRole(Construct):
    """May put objects anywhere in the uploads bucket; who assumes it narrows each session to one prefix.

    Only `trusted` may assume it.
    """

    def __init__(self, scope: Construct, platform: Platform, *, trusted: iam.Role) -> None:
        super().__init__(scope, "Uploader")
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ArnPrincipal(trusted.role_arn),
            description="Sessions of people who upload files to one bot",
            max_session_duration=Duration.hours(1),
        )
        objects = objects_of(platform.uploads_arn)
        _allow(self.role, "PutObjects", [*PUT_ACTIONS], objects)
        _allow(self.role, "ListPrefix", ["s3:ListBucket"], platform.uploads_arn)
        _allow(self.role, "UseKey", ["kms:Decrypt", "kms:GenerateDataKey"], platform.key.key_arn)
        _allow(trusted, "VendCredentials", ["sts:AssumeRole"], self.role.role_arn)
        acknowledge_objects(self.role, platform.uploads_arn)


def _allow(role: iam.Role, sid: str, actions: list[str], resource: str) -> None:
    role.add_to_policy(iam.PolicyStatement(sid=sid, actions=actions, resources=[resource]))
