"""`MalwareScanner` by GuardDuty Malware Protection for S3, which tags each object that it has scanned.

The tag, not the event, is the verdict: events come late, twice or never, and the tag stays with its version.
"""

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from chatsphere.errors import UnavailableError
from chatsphere.ports.uploads import ScanVerdict
from chatsphere.settings import StorageSettings

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

TAG: Final = "GuardDutyMalwareScanStatus"
_CLEAN: Final = "NO_THREATS_FOUND"
_INFECTED: Final = "THREATS_FOUND"
_GONE: Final = frozenset({"NoSuchKey", "NoSuchVersion", "MethodNotAllowed", "InvalidArgument", "404", "405", "400"})


class GuardDutyTags:
    """The `MalwareScanner` port on the tags of one bucket's objects; connects when first used."""

    def __init__(self, settings: StorageSettings) -> None:
        self._bucket = settings.uploads_bucket
        self._endpoint = settings.s3_endpoint

    def verdict(self, key: str, version_id: str | None) -> ScanVerdict | None:
        """See `MalwareScanner.verdict`."""
        place: dict[str, Any] = {"Bucket": self._bucket, "Key": key}
        if version_id is not None:
            place["VersionId"] = version_id
        try:
            tags = self._client.get_object_tagging(**place)["TagSet"]
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _GONE:
                return None
            raise UnavailableError("The object store does not tell what the malware scan found.") from None
        except BotoCoreError:
            raise UnavailableError("The object store does not answer.") from None
        status = next((tag["Value"] for tag in tags if tag["Key"] == TAG), None)
        if status is None:
            return None
        return {_CLEAN: ScanVerdict.CLEAN, _INFECTED: ScanVerdict.INFECTED}.get(status, ScanVerdict.NOT_SCANNED)

    @cached_property
    def _client(self) -> "S3Client":
        from chatsphere.adapters.s3 import s3_client

        return s3_client(self._endpoint)
