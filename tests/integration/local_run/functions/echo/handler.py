"""Answers with its event, or misbehaves as the request says."""

import base64
import json
import os
import signal
import time
from pathlib import Path
from typing import Any


def handler(event: dict[str, Any], context: Any) -> Any:
    query = event.get("queryStringParameters") or {}
    match query.get("do"):
        case "raise":
            raise ValueError("on purpose")
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hang":
            time.sleep(3600)
        case "nonsense":
            return {"no": "status"}
        case "environment":
            return {"statusCode": 200, "body": json.dumps(dict(os.environ))}
        case "binary":
            body = base64.b64encode(bytes(range(256))).decode()
            two = {"x-two": ["a", "b"]}
            return {"statusCode": 200, "body": body, "isBase64Encoded": True, "multiValueHeaders": two}
        case "own-id":
            return {"statusCode": 200, "headers": {"X-Request-Id": "mine"}, "body": ""}
        case "meet":
            _meet(Path(query["folder"]))
    return {"statusCode": 200, "body": json.dumps({"event": event, "id": context.aws_request_id, "pid": os.getpid()})}


def _meet(folder: Path) -> None:
    """Wait until another process is here too."""
    (folder / str(os.getpid())).touch()
    while len(list(folder.iterdir())) < 2:
        time.sleep(0.01)
