"""Notes each message in a file of its own, then does as the message says."""

import json
import os
import signal
import uuid
from pathlib import Path
from typing import Any


def handler(event: dict[str, Any], context: Any) -> Any:
    failures = [{"itemIdentifier": record["messageId"]} for record in event["Records"] if not _handle(record)]
    return {"batchItemFailures": failures}


def _handle(record: dict[str, Any]) -> bool:
    order = json.loads(record["body"])
    count = int(record["attributes"]["ApproximateReceiveCount"])
    note = {"name": order["name"], "count": count, "pid": os.getpid(), "record": record}
    (Path(os.environ["RECORDS"]) / f"{order['name']}-{uuid.uuid4()}").write_text(json.dumps(note))
    if order.get("die_first") and count == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return not (order.get("fail_first") and count == 1) and not order.get("fail_always")
