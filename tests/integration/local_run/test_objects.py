"""The uploads bucket, and its events."""

import io
from urllib.parse import quote_plus
from uuid import uuid4

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.integration.local_run.toys import Toys

BUCKET = "chatsphere-uploads"


def test_put_is_announced_with_version_and_metadata_set(toys: Toys) -> None:
    key = f"o/b/{uuid4()}/ü +?.txt"
    put = toys.s3().put_object(Bucket=BUCKET, Key=key, Body=b"data", ContentType="text/x", Metadata={"a": "b"})
    event = toys.wait_for_event(quote_plus(key), "ObjectCreated:Put")
    assert event["s3"]["object"]["versionId"] == put["VersionId"]
    assert event["s3"]["object"]["size"] == 4
    assert event["s3"]["object"]["sequencer"]
    found = toys.s3().get_object(Bucket=BUCKET, Key=key)
    assert (found["Body"].read(), found["ContentType"], found["Metadata"]) == (b"data", "text/x", {"a": "b"})


def test_presigned_post(toys: Toys) -> None:
    key = f"o/b/{uuid4()}.txt"
    form = toys.s3().generate_presigned_post(BUCKET, key, Fields={"Content-Type": "text/x"})
    fields = {**form["fields"], "Content-Type": "text/x"}
    with httpx.Client(trust_env=False, timeout=60) as http:
        assert http.post(form["url"], data=fields, files={"file": ("f", b"data")}).status_code == 204
    assert toys.wait_for_event(quote_plus(key), "ObjectCreated:Post")["s3"]["object"]["size"] == 4
    assert toys.s3().get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"data"


def test_multipart_upload_is_announced_once(toys: Toys) -> None:
    key = f"o/b/{uuid4()}.bin"
    data = b"0123456789" * 1_200_000
    toys.s3().upload_fileobj(io.BytesIO(data), BUCKET, key)
    toys.wait_for_event(quote_plus(key), "ObjectCreated:CompleteMultipartUpload")
    assert toys.s3().get_object(Bucket=BUCKET, Key=key)["Body"].read() == data
    toys.s3().delete_object(Bucket=BUCKET, Key=key)
    toys.wait_for_event(quote_plus(key), "ObjectRemoved:DeleteMarkerCreated")
    names = [note["eventName"] for note in toys.notes("event") if note["s3"]["object"]["key"] == quote_plus(key)]
    assert sorted(names) == ["ObjectCreated:CompleteMultipartUpload", "ObjectRemoved:DeleteMarkerCreated"]


def test_copy_and_removal_of_a_version(toys: Toys) -> None:
    source, key = f"o/b/{uuid4()}", f"o/b/{uuid4()}"
    toys.s3().put_object(Bucket=BUCKET, Key=source, Body=b"data")
    copied = toys.s3().copy_object(Bucket=BUCKET, Key=key, CopySource={"Bucket": BUCKET, "Key": source})
    assert copied["CopyObjectResult"]["ETag"]
    version = toys.wait_for_event(quote_plus(key), "ObjectCreated:Copy")["s3"]["object"]["versionId"]
    toys.s3().delete_object(Bucket=BUCKET, Key=key, VersionId=version)
    assert toys.wait_for_event(quote_plus(key), "ObjectRemoved:Delete")["s3"]["object"]["versionId"] == version


def test_upload_beyond_the_cap_is_refused(toys: Toys) -> None:
    with pytest.raises(ClientError) as caught:
        toys.s3().put_object(Bucket=BUCKET, Key="large", Body=bytes(34 * 1024 * 1024))
    assert caught.value.response["Error"]["Code"] == "EntityTooLarge"


def test_the_emulators_own_api_is_out_of_reach(toys: Toys) -> None:
    toys.s3().put_object(Bucket=BUCKET, Key="survivor", Body=b"data")
    with httpx.Client(trust_env=False, timeout=60) as http:
        assert http.post(f"{toys.endpoints.s3_endpoint}/moto-api/reset").is_error
    assert toys.s3().get_object(Bucket=BUCKET, Key="survivor")["Body"].read() == b"data"
