"""The private keys that sign access tokens, made on the first start."""

from pathlib import Path

from chatsphere.adapters.jwt_tokens import generate_key
from chatsphere.identity.token_keys import key_set
from infra.local.files import write_durably


def token_keys(path: Path) -> str:
    """Return the private JWK set kept at `path`; make one ES256 key if there is none."""
    if not path.exists():
        write_durably(path, key_set([generate_key()]).encode())
    return path.read_text()
