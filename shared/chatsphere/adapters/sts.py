"""`UploadCredentials` from the AWS Security Token Service, or anything that speaks its protocol."""

import json
from functools import cached_property
from typing import Any

from chatsphere.errors import ConfigurationError, UnavailableError
from chatsphere.ports.uploads import TemporaryCredentials
from chatsphere.settings import StorageSettings, UploadCredentialsSettings

_WRONG = frozenset({"AccessDenied", "ValidationError", "MalformedPolicyDocument", "PackedPolicyTooLarge"})


class StsUploadCredentials:
    """The `UploadCredentials` port; connects when first used.

    A session never may do more than both its role and its policy permit.
    """

    def __init__(self, settings: UploadCredentialsSettings, storage: StorageSettings) -> None:
        self._settings = settings
        self._bucket = storage.uploads_bucket

    def lend(self, prefix: str, *, session_name: str) -> TemporaryCredentials:
        """See `UploadCredentials.lend`."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = self._client.assume_role(
                RoleArn=self._settings.uploader_role_arn,
                RoleSessionName=session_name,
                Policy=json.dumps(session_policy(self._bucket, prefix), separators=(",", ":")),
                DurationSeconds=self._settings.upload_credentials_seconds,
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _WRONG:
                raise ConfigurationError("The uploader role cannot be assumed.") from None
            raise UnavailableError("The token service does not answer.") from None
        except BotoCoreError:
            raise UnavailableError("The token service does not answer.") from None
        lent = answer["Credentials"]
        return TemporaryCredentials(
            lent["AccessKeyId"], lent["SecretAccessKey"], lent["SessionToken"], lent["Expiration"]
        )

    @cached_property
    def _client(self) -> Any:
        from botocore.config import Config
        from botocore.session import get_session

        config = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
        return get_session().create_client("sts", endpoint_url=self._settings.sts_endpoint, config=config)


def session_policy(bucket: str, prefix: str) -> dict[str, Any]:
    """Return the policy of a session that may put objects under `prefix`, see their names, and nothing else."""
    arn = f"arn:aws:s3:::{bucket}"
    put = ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": put, "Resource": f"{arn}/{prefix}*"},
            {
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": arn,
                "Condition": {"StringLike": {"s3:prefix": f"{prefix}*"}},
            },
            # What a bucket with a key of its own asks of whoever uploads; which key, the role says.
            {
                "Effect": "Allow",
                "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
                "Resource": "*",
                "Condition": {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}},
            },
        ],
    }
