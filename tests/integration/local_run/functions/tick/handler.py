"""Notes that it ran."""

import json
import os
import uuid
from pathlib import Path
from typing import Any


def handler(event: dict[str, Any], context: Any) -> None:
    (Path(os.environ["RECORDS"]) / f"tick-{uuid.uuid4()}").write_text(json.dumps(event))
