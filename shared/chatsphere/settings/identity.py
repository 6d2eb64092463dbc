"""Keys of access tokens, and the cost of passwords."""

from pydantic import Field

from chatsphere.settings.environment import Environment, Secret


class TokenKeyVaultSettings(Environment):
    """ARNs of the secrets that hold `token_keys` and `token_public_keys`, for what makes and rotates them.

    How long tokens are valid says how long a rotation must wait.
    """

    token_keys_arn: str
    token_public_keys_arn: str
    access_token_seconds: int = Field(default=600, ge=1, le=86_400)


class TokenIssuerSettings(Environment):
    """Who issues access tokens (JWT)."""

    token_issuer: str = "chatsphere"  # noqa: S105 - a name, not a secret


class TokenVerificationSettings(TokenIssuerSettings):
    """Verifying access tokens. `token_public_keys` is a public JWK set.

    It is no secret; it is kept where secrets are because it changes with `token_keys`, not with a deployment.
    """

    token_public_keys: Secret


class TokenSettings(TokenIssuerSettings):
    """Signing access tokens. `token_keys` is a private JWK set, of which the first key signs."""

    token_keys: Secret
    access_token_seconds: int = Field(default=600, ge=1, le=86_400)
    refresh_token_seconds: int = Field(default=30 * 86_400, ge=60)


class PasswordSettings(Environment):
    """Cost of argon2id (OWASP's second profile: 19 MiB, two passes, one lane)."""

    argon2_memory_kib: int = Field(default=19_456, ge=8)
    argon2_passes: int = Field(default=2, ge=1)
