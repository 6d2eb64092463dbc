import hmac
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from chatsphere.adapters.jwt_tokens import JwtTokenSigner, JwtTokenVerifier, generate_key
from chatsphere.errors import ConfigurationError, TokenExpiredError, UnauthorizedError
from chatsphere.identity.token_keys import key_set, public_part
from chatsphere.settings import TokenSettings, TokenVerificationSettings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = key_set([generate_key()])
CLAIMS = {"sub": "somebody"}


def signer(keys: str = KEYS, **fields: Any) -> JwtTokenSigner:
    return JwtTokenSigner(TokenSettings(token_keys=keys, **fields))


def verifier(private_keys: str = KEYS) -> JwtTokenVerifier:
    return JwtTokenVerifier(TokenVerificationSettings(token_public_keys=public_part(private_keys)))


def private_key(keys: str = KEYS) -> ECKey:
    return ECKey.import_key(json.loads(keys)["keys"][0])


def forged(header: dict[str, Any], key: Any, algorithm: str) -> str:
    claims = {"iss": "chatsphere", "exp": int(NOW.timestamp()) + 60, **CLAIMS}
    return jwt.encode({"alg": algorithm, **header}, claims, key, algorithms=[algorithm])


def unsigned(header: dict[str, Any]) -> str:
    def part(value: Any) -> str:
        return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part(header)}.{part({'iss': 'chatsphere', 'exp': 9_999_999_999})}."


def signed_with_public_key() -> str:
    """The classical confusion: the public key, which everybody has, as the secret of a symmetric signature."""
    content = unsigned({"alg": "HS256", "kid": private_key().kid}).rstrip(".")
    signature = hmac.digest(private_key().as_pem(private=False), content.encode(), "sha256")
    return f"{content}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def test_a_token_carries_its_claims_issuer_and_times() -> None:
    token = signer(access_token_seconds=600).sign(CLAIMS, now=NOW)

    claims = verifier().verify(token, now=NOW)

    issued = int(NOW.timestamp())
    assert claims == {"sub": "somebody", "iss": "chatsphere", "iat": issued, "exp": issued + 600}


def test_a_token_expires_to_the_second() -> None:
    token = signer(access_token_seconds=600).sign(CLAIMS, now=NOW)

    verifier().verify(token, now=NOW + timedelta(seconds=599))
    with pytest.raises(TokenExpiredError):
        verifier().verify(token, now=NOW + timedelta(seconds=600))


def test_an_expired_token_with_a_wrong_signature_is_only_wrong() -> None:
    token = signer(key_set([generate_key()])).sign(CLAIMS, now=NOW - timedelta(days=1))

    with pytest.raises(UnauthorizedError) as refused:
        verifier().verify(token, now=NOW)
    assert not isinstance(refused.value, TokenExpiredError)


def test_during_a_rotation_tokens_of_both_keys_are_valid() -> None:
    rotated = key_set([generate_key(), *json.loads(KEYS)["keys"]])

    assert verifier(rotated).verify(signer().sign(CLAIMS, now=NOW), now=NOW)["sub"] == "somebody"
    assert verifier(rotated).verify(signer(rotated).sign(CLAIMS, now=NOW), now=NOW)["sub"] == "somebody"
    with pytest.raises(UnauthorizedError):
        verifier().verify(signer(rotated).sign(CLAIMS, now=NOW), now=NOW)


def test_the_public_keys_verify_and_hold_nothing_private() -> None:
    published = verifier().public_keys()["keys"]

    token = jwt.decode(signer().sign(CLAIMS, now=NOW), ECKey.import_key(dict(published[0])), algorithms=["ES256"])
    assert token.header["kid"] == published[0]["kid"]
    assert [sorted(key) for key in published] == [["alg", "crv", "kid", "kty", "use", "x", "y"]]


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(unsigned({"alg": "none"}), id="no algorithm"),
        pytest.param(unsigned({"alg": "ES256", "kid": private_key().kid}), id="no signature"),
        pytest.param(unsigned({"alg": ["ES256"], "kid": {}}), id="odd header"),
        pytest.param(unsigned({"alg": "ES256", "kid": 5, "crit": ["x"]}), id="critical header"),
        pytest.param(signed_with_public_key(), id="public key as shared secret"),
        pytest.param(forged({"kid": "other"}, private_key(), "ES256"), id="unknown key id"),
        pytest.param(
            forged({"kid": private_key().kid, "typ": "chatsphere-erasure+jws"}, private_key(), "ES256"),
            id="another type of ours",
        ),
        pytest.param(
            forged({"kid": private_key().kid}, ECKey.generate_key("P-256"), "ES256"), id="somebody else's key"
        ),
        pytest.param("", id="empty"),
        pytest.param("...", id="dots"),
        pytest.param("a.b.c", id="letters"),
        pytest.param("\x00\xff\ud800", id="binary"),
        pytest.param("é.é.é", id="not ASCII"),
        pytest.param("e" * 1_000_000, id="huge"),
        pytest.param("W10.W10.W10", id="JSON lists"),
        pytest.param(urlsafe_b64encode(b"[" * 3000).decode() + ".e30.e30", id="deep header"),
    ],
)
def test_a_forged_or_broken_token_is_refused(token: str) -> None:
    with pytest.raises(UnauthorizedError) as refused:
        verifier().verify(token, now=NOW)
    assert refused.value.code == "unauthorized"


@pytest.mark.parametrize(
    "claims", [{"iss": "other"}, {"exp": None}, {"exp": "9999999999"}, {"exp": 1e400}, {"exp": []}]
)
def test_a_signed_token_without_our_issuer_and_an_expiry_is_refused(claims: dict[str, Any]) -> None:
    key = private_key()
    everything = {"iss": "chatsphere", "exp": 9_999_999_999, **claims}
    token = jwt.encode({"alg": "ES256", "kid": key.kid}, everything, key, algorithms=["ES256"])

    with pytest.raises(UnauthorizedError):
        verifier().verify(token, now=NOW)


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param("", id="nothing"),
        pytest.param("{", id="no JSON"),
        pytest.param("[]", id="a list"),
        pytest.param("{}", id="no keys"),
        pytest.param('{"keys": []}', id="an empty set"),
        pytest.param('{"keys": [{"kty": "oct", "k": "YWJj"}]}', id="a shared secret"),
        pytest.param(json.dumps({"keys": [private_key().as_dict(private=False)]}), id="a public key"),
        pytest.param(json.dumps({"keys": [ECKey.generate_key("P-384").as_dict(private=True)]}), id="another curve"),
    ],
)
def test_keys_that_cannot_sign_are_a_configuration_error_that_does_not_show_them(keys: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        signer(keys).sign(CLAIMS, now=NOW)
    assert "TOKEN_KEYS" in refused.value.detail
    assert not keys or keys not in refused.value.detail


def test_a_private_key_where_public_ones_belong_is_refused() -> None:
    with pytest.raises(ConfigurationError) as refused:
        JwtTokenVerifier(TokenVerificationSettings(token_public_keys=KEYS)).public_keys()
    assert "TOKEN_PUBLIC_KEYS" in refused.value.detail
