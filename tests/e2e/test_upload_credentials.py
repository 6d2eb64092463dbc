"""Dropping a file with an ordinary S3 client and credentials that the API lent for one bot."""

from typing import Any

import boto3
import pytest

from tests.e2e.client import Client
from tests.waiting import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]


def test_a_file_put_with_lent_credentials_is_ingested(client: Client, endpoints: dict[str, Any]) -> None:
    # Given
    bot_id = client.bot()["id"]
    answer = client.http.post(f"/v1/bots/{bot_id}/upload-credentials")
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    lent = answer.json()
    keys = lent["credentials"]
    # When
    s3 = boto3.client(
        "s3",
        endpoint_url=lent["endpoint"],
        region_name=lent["region"],
        aws_access_key_id=keys["access_key_id"],
        aws_secret_access_key=keys["secret_access_key"],
        aws_session_token=keys["session_token"],
    )
    s3.put_object(Bucket=lent["bucket"], Key=f"{lent['prefix']}note.txt", Body=b"The heron nests in the tower.")
    # Then
    document = wait_for(lambda: _ready(client, bot_id), what="the document")
    assert document["name"] == "note.txt"


def _ready(client: Client, bot_id: str) -> dict[str, Any]:
    """Return the bot's document, nothing before it is ready."""
    documents = client.http.get(f"/v1/bots/{bot_id}/documents").json()["data"]
    return next((document for document in documents if document["status"] == "ready"), {})
