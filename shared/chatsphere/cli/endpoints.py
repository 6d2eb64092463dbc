"""The `endpoints.json` that a one-machine run leaves in its home folder."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from chatsphere.cli.errors import UsageError

HOME_NAME = ".chatsphere"
FILE_NAME = "endpoints.json"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a one-machine run listens, and its demo account."""

    path: Path
    api: str
    demo_api_key: str | None = None
    demo_bot_id: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variables with which curl and the aws command line reach it."""


def candidates(working_directory: Path, home: Path | None) -> list[Path]:
    """Return where `endpoints.json` may be, nearest first. A home that is named is the only one."""
    if home is not None:
        return [home / FILE_NAME]
    return [folder / HOME_NAME / FILE_NAME for folder in (working_directory, *working_directory.parents)]


def find(working_directory: Path, home: Path | None) -> Endpoints | None:
    """Return the nearest one-machine run's endpoints, or None where there is none.

    Raises:
        UsageError: the file is there and is not what the one-machine run writes.
    """
    for path in candidates(working_directory, home):
        if path.is_file():
            return _read(path)
    return None


def _read(path: Path) -> Endpoints:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        demo = content.get("demo") or {}
        return Endpoints(path, str(content["api"]), demo.get("api_key"), demo.get("bot_id"), _variables(content, demo))
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        raise UsageError(
            f"{path} cannot be read as the endpoints of a one-machine run.",
            hint="Start it again with `make up`, or name the API with --api.",
        ) from None


def _variables(content: Mapping[str, object], demo: Mapping[str, object]) -> dict[str, str]:
    values = {
        "CHATSPHERE_API": content["api"],
        "CHATSPHERE_API_KEY": demo.get("api_key"),
        "CHATSPHERE_ORGANIZATION_ID": demo.get("organization_id"),
        "CHATSPHERE_UPLOADS_BUCKET": content.get("uploads_bucket"),
        "AWS_ENDPOINT_URL_S3": content.get("s3_endpoint"),
        "AWS_ACCESS_KEY_ID": content.get("access_key_id"),
        "AWS_SECRET_ACCESS_KEY": content.get("secret_access_key"),
        "AWS_DEFAULT_REGION": content.get("region"),
    }
    return {name: str(value) for name, value in values.items() if value}
