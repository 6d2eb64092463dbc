"""`chatsphere docs credentials`: temporary credentials with which any S3 client puts files into a bot."""

import json
import shlex
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chatsphere.cli import lookup
from chatsphere.cli.options import BotOption
from chatsphere.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console


class Format(StrEnum):
    """Who is going to read the credentials."""

    ENV = "env"
    JSON = "json"
    AWS = "aws"


FormatOption = Annotated[
    Format,
    typer.Option("--format", help="env: for eval in a shell; json: as the API answers; aws: for credential_process."),
]


def credentials(session: Session, bot: BotOption = None, form: FormatOption = Format.ENV) -> None:
    """Get credentials for uploads with any S3 client, valid for an hour: eval "$(chatsphere docs credentials)"."""
    lent = session.client.post(f"/bots/{lookup.bot_id(session, bot)}/upload-credentials", {}, repeatable=True)
    text = {Format.ENV: _shell, Format.JSON: _json, Format.AWS: _credential_process}[form](lent)
    session.output.result(lent, lambda console: _print(console, text))


def _print(console: "Console", text: str) -> None:
    console.print(text, soft_wrap=True)


def _shell(lent: dict[str, Any]) -> str:
    """Return the statements for a shell; the endpoint of another run must not be left set."""
    keys = lent["credentials"]
    values = {
        "AWS_ACCESS_KEY_ID": keys["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": keys["secret_access_key"],
        "AWS_SESSION_TOKEN": keys["session_token"],
        "AWS_DEFAULT_REGION": lent["region"],
        "AWS_ENDPOINT_URL_S3": lent["endpoint"],
        "CHATSPHERE_UPLOADS": f"s3://{lent['bucket']}/{lent['prefix']}",
    }
    return "\n".join(
        f"unset {name}" if value is None else f"export {name}={shlex.quote(str(value))}"
        for name, value in values.items()
    )


def _json(lent: dict[str, Any]) -> str:
    return json.dumps(lent, indent=2)


def _credential_process(lent: dict[str, Any]) -> str:
    """Return what the AWS command line and SDKs take from a `credential_process`."""
    keys = lent["credentials"]
    return json.dumps(
        {
            "Version": 1,
            "AccessKeyId": keys["access_key_id"],
            "SecretAccessKey": keys["secret_access_key"],
            "SessionToken": keys["session_token"],
            "Expiration": keys["expires_at"],
        }
    )
