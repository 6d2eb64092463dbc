"""A part of the container; see `chatsphere.bootstrap`."""

from datetime import timedelta
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from chatsphere import settings
from chatsphere.bootstrap.connections import Connections
from chatsphere.ports.credentials import PasswordHasher, ReceiptSigner, TokenSigner, TokenVerifier
from chatsphere.ports.vault import SecretBox

if TYPE_CHECKING:
    from chatsphere.identity.passwords import Passwords
    from chatsphere.identity.second_factor import SecondFactor
    from chatsphere.identity.sessions import Sessions
    from chatsphere.identity.throttling import CredentialThrottle
    from chatsphere.identity.token_keys import KeyRing


class Credentials(Connections):
    """Passwords, sessions, tokens, and what seals secrets."""

    @property
    def token_signer(self) -> TokenSigner:
        """Signer of access tokens. Asked for each time, so that rotated keys reach a running process."""
        return _signer(self.token_settings)

    @property
    def token_verifier(self) -> TokenVerifier:
        """Verifier of access tokens; as `token_signer`."""
        return _verifier(self._load(settings.TokenVerificationSettings))

    @property
    def receipt_signer(self) -> ReceiptSigner:
        """Signer of receipts; as `token_signer`."""
        from chatsphere.adapters.jws_receipts import JwsReceiptSigner

        return JwsReceiptSigner(self.token_settings)

    @property
    def token_settings(self) -> settings.TokenSettings:
        """Lifetimes and keys of tokens."""
        return self._load(settings.TokenSettings)

    @cached_property
    def token_key_ring(self) -> "KeyRing":
        """The keys of access tokens, for whoever makes and rotates them."""
        from chatsphere.adapters.jwt_tokens import generate_key
        from chatsphere.adapters.secrets_manager import SecretsManagerVault
        from chatsphere.identity.token_keys import KeyRing

        arns = self._load(settings.TokenKeyVaultSettings)
        private, public = SecretsManagerVault(arns.token_keys_arn), SecretsManagerVault(arns.token_public_keys_arn)
        return KeyRing(private, public, generate_key, self.clock, timedelta(seconds=arns.access_token_seconds))

    @cached_property
    def passwords(self) -> PasswordHasher:
        """The password hasher."""
        from chatsphere.adapters.argon2_passwords import Argon2PasswordHasher

        return Argon2PasswordHasher(self._load(settings.PasswordSettings))

    @cached_property
    def account_settings(self) -> settings.AccountSettings:
        """What accounts need, and how long what was mailed is valid."""
        return self._load(settings.AccountSettings)

    @cached_property
    def throttle_settings(self) -> settings.CredentialThrottleSettings:
        """How many credentials may be tried."""
        return self._load(settings.CredentialThrottleSettings)

    @cached_property
    def credential_throttle(self) -> "CredentialThrottle":
        """What counts tries of credentials."""
        from chatsphere.identity.throttling import CredentialThrottle

        return CredentialThrottle(self.authenticator_database, self.clock, self.throttle_settings)

    @property
    def sessions(self) -> "Sessions":
        """What opens and renews sessions; as `token_signer`."""
        from chatsphere.identity.sessions import Sessions

        chosen = self.token_settings
        return Sessions(
            self.authenticator_database,
            self.token_signer,
            self.ids,
            self.clock,
            chosen.access_token_seconds,
            chosen.refresh_token_seconds,
        )

    @cached_property
    def mfa_settings(self) -> settings.MfaSettings:
        """How second factors are named."""
        return self._load(settings.MfaSettings)

    @cached_property
    def password_checks(self) -> "Passwords":
        """What asks people for their passwords, and changes them."""
        from chatsphere.identity.passwords import Passwords

        return Passwords(self.authenticator_database, self.passwords, self.credential_throttle, self.clock)

    @property
    def second_factor(self) -> "SecondFactor":
        """What asks people for their codes; as `token_signer`."""
        from chatsphere.identity.second_factor import SecondFactor

        issuer, seconds = self.mfa_settings.mfa_issuer, self.account_settings.mfa_enroll_seconds
        return SecondFactor(self.sessions, self.password_checks, self.secret_box, issuer, seconds)

    @cached_property
    def secret_box(self) -> SecretBox:
        """What encrypts second factors' secrets."""
        from chatsphere.adapters.fernet_box import FernetSecretBox

        return FernetSecretBox(*self.mfa_settings.mfa_encryption_keys)

    @staticmethod
    def answer_box(secret: str) -> SecretBox:
        """Return what seals the kept answer of a request with an `Idempotency-Key`."""
        from chatsphere.adapters.fernet_box import FernetSecretBox

        return FernetSecretBox(secret)

    @cached_property
    def webhook_box(self) -> SecretBox:
        """What encrypts the secrets of webhooks: of the same texts as second factors' box, with keys of its own."""
        from chatsphere.adapters.fernet_box import FernetSecretBox

        return FernetSecretBox(*self.mfa_settings.mfa_encryption_keys, purpose="webhooks")


@lru_cache(maxsize=1)
def _signer(chosen: settings.TokenSettings) -> TokenSigner:
    from chatsphere.adapters.jwt_tokens import JwtTokenSigner

    return JwtTokenSigner(chosen)


@lru_cache(maxsize=1)
def _verifier(chosen: settings.TokenVerificationSettings) -> TokenVerifier:
    from chatsphere.adapters.jwt_tokens import JwtTokenVerifier

    return JwtTokenVerifier(chosen)
