"""S3's uploads in parts. Errors are the vendor's: they end at the object store's adapter, which alone calls this."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypedDict

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef

PART_BYTES: Final = 16 * 1024 * 1024
"""S3 takes 10,000 parts: an object of 160 GB."""


class _Upload(TypedDict):
    """Which upload is meant."""

    Bucket: str
    Key: str
    UploadId: str


def regrouped(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield the same bytes in blocks of this size, the last one of what is left."""
    held = bytearray()
    for block in blocks:
        held += block
        while len(held) >= size:
            yield bytes(held[:size])
            del held[:size]
    if held:
        yield bytes(held)


def upload_parts(
    client: "S3Client", bucket: str, key: str, parts: Iterable[bytes], *, content_type: str, metadata: Mapping[str, str]
) -> tuple[Mapping[str, Any], int]:
    """Put an object, a part at a time; return S3's answer and the object's bytes. What fails leaves no object.

    Each part but the last has at least 5 MiB.
    """
    begun = client.create_multipart_upload(Bucket=bucket, Key=key, ContentType=content_type, Metadata=dict(metadata))
    upload: _Upload = {"Bucket": bucket, "Key": key, "UploadId": begun["UploadId"]}
    try:
        return _put_all(client, upload, parts)
    except BaseException:
        # Were this in vain, the bucket's life cycle would have to clear it away.
        with suppress(ClientError, BotoCoreError):
            client.abort_multipart_upload(**upload)
        raise


def _put_all(client: "S3Client", upload: _Upload, parts: Iterable[bytes]) -> tuple[Mapping[str, Any], int]:
    done: list[CompletedPartTypeDef] = []
    size = 0
    for number, part in enumerate(parts, start=1):
        answer = client.upload_part(**upload, PartNumber=number, Body=part)
        done.append({"PartNumber": number, "ETag": answer["ETag"]})
        size += len(part)
    return client.complete_multipart_upload(**upload, MultipartUpload={"Parts": done}), size
