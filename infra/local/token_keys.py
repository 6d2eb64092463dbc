"""The private keys that sign access tokens, made on the first start."""

import json
from pathlib import Path

from joserfc.jwk import ECKey

from infra.local.files import write_durably


def token_keys(path: Path) -> str:
    """Return the private JWK set kept at `path`; make one ES256 key if there is none."""
    if not path.exists():
        key = ECKey.generate_key("P-256", parameters={"use": "sig", "alg": "ES256"}, private=True, auto_kid=True)
        write_durably(path, json.dumps({"keys": [key.as_dict(private=True)]}).encode())
    return path.read_text()
