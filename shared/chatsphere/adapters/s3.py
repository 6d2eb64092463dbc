"""`ObjectStore` on Amazon S3, or anything that speaks its protocol."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import chain, islice, takewhile
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError

from chatsphere.adapters.s3_multipart import PART_BYTES, regrouped, upload_parts
from chatsphere.errors import DocumentTooLargeError, NotFoundError, UnavailableError
from chatsphere.ports.objects import ListedObject, ObjectVersion, PresignedPost, StoredObject

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import ObjectIdentifierTypeDef

_BLOCK_BYTES: Final = 1024 * 1024
_AT_ONCE: Final = 1000
_MISSING: Final = frozenset({"NoSuchKey", "NoSuchVersion", "NotFound", "404"})
_NO_SUCH_VERSION_ID: Final = frozenset({"InvalidArgument", "MethodNotAllowed", "400", "405"})
"""Answers to a version id that no version has, or that is a delete marker's."""

_BEYOND_END: Final = frozenset({"InvalidRange", "416"})


class _BeyondEndError(Exception):
    """What was to be read begins behind the object's end."""


class S3ObjectStore:
    """The `ObjectStore` port on one bucket; connects when first used."""

    def __init__(self, bucket: str, endpoint: str | None = None) -> None:
        self._bucket = bucket
        self._endpoint = endpoint

    @property
    def bucket(self) -> str:
        """Name of the bucket."""
        return self._bucket

    def presign_upload(
        self, key: str, *, content_type: str, max_bytes: int, expires_seconds: int, metadata: Mapping[str, str]
    ) -> PresignedPost:
        """See `ObjectStore.presign_upload`; signed here, without a request."""
        fields = {"Content-Type": content_type, **{f"x-amz-meta-{name}": text for name, text in metadata.items()}}
        conditions: list[Any] = [["content-length-range", 0, max_bytes]]
        conditions += [{name: text} for name, text in fields.items()]
        with _answered():
            form = self._client.generate_presigned_post(
                self._bucket, key, Fields=fields, Conditions=conditions, ExpiresIn=expires_seconds
            )
        return PresignedPost(form["url"], form["fields"])

    def presign_download(
        self,
        key: str,
        version_id: str | None,
        *,
        content_type: str,
        file_name: str,
        inline: bool,
        expires_seconds: int,
    ) -> str:
        """See `ObjectStore.presign_download`; signed here, without a request."""
        shown = {
            "ResponseContentType": content_type,
            "ResponseContentDisposition": _disposition(file_name, inline=inline),
            "ResponseCacheControl": "private, no-store",
        }
        with _answered():
            return self._client.generate_presigned_url(
                "get_object", Params={**self._address(key, version_id), **shown}, ExpiresIn=expires_seconds
            )

    def head(self, key: str, version_id: str | None = None) -> StoredObject | None:
        """See `ObjectStore.head`."""
        try:
            with _answered(missing=_MISSING | (_NO_SUCH_VERSION_ID if version_id else frozenset())):
                return _stored(key, self._client.head_object(**self._address(key, version_id)))
        except NotFoundError:
            return None

    def put(self, key: str, body: bytes, *, content_type: str, metadata: Mapping[str, str]) -> StoredObject:
        """See `ObjectStore.put`."""
        with _answered():
            answer = self._client.put_object(
                Bucket=self._bucket, Key=key, Body=body, ContentType=content_type, Metadata=dict(metadata)
            )
        stated = {"ContentLength": len(body), "ContentType": content_type, "Metadata": dict(metadata)}
        return _stored(key, {**answer, **stated})

    def put_stream(
        self, key: str, blocks: Iterable[bytes], *, content_type: str, metadata: Mapping[str, str]
    ) -> StoredObject:
        """See `ObjectStore.put_stream`; in parts, which takes the memory of one of them, where it is large."""
        parts = regrouped(blocks, PART_BYTES)
        first, second = next(parts, b""), next(parts, None)
        if second is None:
            return self.put(key, first, content_type=content_type, metadata=metadata)
        with _answered():
            answer, size = upload_parts(
                self._client,
                self._bucket,
                key,
                chain((first, second), parts),
                content_type=content_type,
                metadata=metadata,
            )
        stated = {"ContentLength": size, "ContentType": content_type, "Metadata": dict(metadata)}
        return _stored(key, {**answer, **stated})

    def read(self, key: str, version_id: str | None, *, start: int, length: int) -> bytes:
        """See `ObjectStore.read`."""
        try:
            with _answered(missing=_MISSING | _NO_SUCH_VERSION_ID, beyond=_BEYOND_END):
                answer = self._client.get_object(
                    **self._address(key, version_id), Range=f"bytes={start}-{start + length - 1}"
                )
                return answer["Body"].read()
        except _BeyondEndError:
            return b""

    def download(self, key: str, version_id: str | None, target: Path, *, max_bytes: int) -> StoredObject:
        """See `ObjectStore.download`."""
        with _answered(missing=_MISSING | _NO_SUCH_VERSION_ID):
            answer = self._client.get_object(**self._address(key, version_id))
            if answer["ContentLength"] > max_bytes:
                raise DocumentTooLargeError
            left = max_bytes
            with target.open("wb") as file:
                for part in answer["Body"].iter_chunks(_BLOCK_BYTES):
                    left -= len(part)
                    if left < 0:
                        raise DocumentTooLargeError
                    file.write(part)
        return _stored(key, answer)

    def delete(self, key: str) -> int:
        """See `ObjectStore.delete`."""
        return self._delete(key, lambda found: found == key)

    def versions(self, key: str) -> list[ObjectVersion]:
        """See `ObjectStore.versions`."""
        return [version for found, version in takewhile(lambda v: v[0] == key, self._versions(key))]

    def delete_versions(self, key: str, versions: Collection[ObjectVersion]) -> int:
        """See `ObjectStore.delete_versions`."""
        wanted = set(versions)
        # Looked at again: the id "null" may be another object's by now.
        found = [version for version in self.versions(key) if version in wanted]
        for begin in range(0, len(found), _AT_ONCE):
            self._delete_all([(key, version.id) for version in found[begin : begin + _AT_ONCE]])
        return sum(version.etag is not None for version in found)

    def delete_prefix(self, prefix: str) -> int:
        """Delete every version and delete marker under the prefix; return how many versions held data."""
        return self._delete(prefix, lambda _: True)

    def keys(self, prefix: str) -> Iterator[str]:
        """See `ObjectStore.keys`."""
        for listed in self.listing(prefix):
            yield listed.key

    def listing(self, prefix: str, *, after: str | None = None) -> Iterator[ListedObject]:
        """See `ObjectStore.listing`."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix, StartAfter=after or ""
        )
        with _answered():
            for page in pages:
                for listed in page.get("Contents", []):
                    yield ListedObject(listed["Key"], listed["ETag"].strip('"'))

    def count_versions(self, prefix: str) -> int:
        """See `ObjectStore.count_versions`."""
        return sum(1 for _ in self._versions(prefix))

    def _delete(self, prefix: str, wanted: Callable[[str], bool]) -> int:
        """Delete the versions with wanted keys. Keys are listed in order, the prefix itself first."""
        with_data = 0
        # Listed anew after each deletion: a listing cannot go on from a version that is gone.
        while found := list(islice(takewhile(lambda v: wanted(v[0]), self._versions(prefix)), _AT_ONCE)):
            self._delete_all([(key, version.id) for key, version in found])
            with_data += sum(version.etag is not None for _, version in found)
        return with_data

    def _delete_all(self, versions: Sequence[tuple[str, str]]) -> None:
        """Delete versions, each given by key and id."""
        named: list[ObjectIdentifierTypeDef] = [{"Key": key, "VersionId": version} for key, version in versions]
        with _answered():
            answer = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": named, "Quiet": True})
        if answer.get("Errors"):
            raise UnavailableError("The object store did not delete everything.")

    def _versions(self, prefix: str) -> Iterator[tuple[str, ObjectVersion]]:
        """Yield key and version of all that is under the prefix, in the order of keys."""
        pages = self._client.get_paginator("list_object_versions").paginate(
            Bucket=self._bucket, Prefix=prefix, PaginationConfig={"PageSize": _AT_ONCE}
        )
        with _answered():
            for page in pages:
                found = [(v["Key"], _version(v, v["ETag"].strip('"'))) for v in page.get("Versions", [])]
                found += [(marker["Key"], _version(marker, None)) for marker in page.get("DeleteMarkers", [])]
                # The two lists are each in the order of keys; `_delete` stops at the first other key.
                yield from sorted(found, key=itemgetter(0))

    def _address(self, key: str, version_id: str | None) -> dict[str, Any]:
        address = {"Bucket": self._bucket, "Key": key}
        return address | {"VersionId": version_id} if version_id else address

    @cached_property
    def _client(self) -> "S3Client":
        return s3_client(self._endpoint)


def s3_client(endpoint: str | None) -> "S3Client":
    """Return a client of S3, or of what speaks its protocol at `endpoint`."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path" if endpoint else "virtual"},
            connect_timeout=3,
            read_timeout=20,
            retries={"mode": "standard", "total_max_attempts": 4},
        ),
    )


@contextmanager
def _answered(missing: frozenset[str] = frozenset(), beyond: frozenset[str] = frozenset()) -> Iterator[None]:
    """Let no error of the vendor's out: these codes mean that the object is missing, all else that it fails."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code")
        if code in missing:
            raise NotFoundError("There is no such object.") from None
        if code in beyond:
            raise _BeyondEndError from None
        raise UnavailableError("The object store refused the request.") from error
    except BotoCoreError as error:
        raise UnavailableError("The object store does not answer.") from error


def _disposition(file_name: str, *, inline: bool) -> str:
    """Return the header of RFC 6266; only the form that carries any name is sent, as all browsers read it."""
    return f"{'inline' if inline else 'attachment'}; filename*=UTF-8''{quote(file_name, safe='')}"


def _version(listed: Mapping[str, Any], etag: str | None) -> ObjectVersion:
    return ObjectVersion(listed["VersionId"], etag, listed["LastModified"])


def _stored(key: str, answer: Mapping[str, Any]) -> StoredObject:
    version_id = answer.get("VersionId")
    return StoredObject(
        key=key,
        size=answer["ContentLength"],
        etag=answer["ETag"].strip('"'),
        content_type=answer.get("ContentType"),
        version_id=None if version_id == "null" else version_id,
        metadata=answer.get("Metadata", {}),
    )
