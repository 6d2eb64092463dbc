"""Notes each object event in a file of its own."""

import json
import os
import uuid
from pathlib import Path
from typing import Any


def handler(event: dict[str, Any], context: Any) -> None:
    for record in event["Records"]:
        for change in json.loads(record["body"]).get("Records", []):
            (Path(os.environ["RECORDS"]) / f"event-{uuid.uuid4()}").write_text(json.dumps(change))
