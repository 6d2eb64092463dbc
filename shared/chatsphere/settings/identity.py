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


class MfaSettings(Environment):
    """Second factors. `mfa_encryption_key` is any long random text, or several with commas: the first one seals."""

    mfa_encryption_key: Secret
    mfa_issuer: str = "ChatSphere"

    @property
    def mfa_encryption_keys(self) -> tuple[str, ...]:
        """The single texts of `mfa_encryption_key`."""
        return tuple(key.strip() for key in self.mfa_encryption_key.split(",") if key.strip())


class CredentialThrottleSettings(Environment):
    """How many credentials may be tried.

    After `login_free_tries` failures an account's next try waits a second, then twice as long each time, up to
    `login_longest_wait_seconds`. One address may try `credential_tries_per_minute` of whatever kind.
    """

    login_free_tries: int = Field(default=10, ge=1)
    login_longest_wait_seconds: int = Field(default=900, ge=1)
    credential_tries_per_minute: int = Field(default=120, ge=1)


class AccountSettings(Environment):
    """What an account needs before it may make others get mail, or anybody see a bot of its own; how long tokens live.

    A person owns `organizations_per_person` at most: each new one comes with its plan's quotas. A code must follow a
    password within `mfa_login_seconds`, a new second factor's secret within `mfa_enroll_seconds`.
    """

    require_verified_email: bool = True
    organizations_per_person: int = Field(default=20, ge=1)
    invitation_seconds: int = Field(default=7 * 86_400, ge=60)
    verification_seconds: int = Field(default=86_400, ge=60)
    reset_seconds: int = Field(default=3600, ge=60)
    mfa_login_seconds: int = Field(default=300, ge=30)
    mfa_enroll_seconds: int = Field(default=900, ge=30)
