"""What a function may read from its environment, as small typed models.

Nothing else in the package reads `os.environ`. A function's entry in `infra/catalog.py` names the groups it
uses; the runner (one machine or CDK) sets exactly the variables of those groups. A field `uploads_bucket` is
read from the variable `UPLOADS_BUCKET`. A `Secret` field `token_keys` may instead be named by `TOKEN_KEYS_SECRET`,
the ARN of a Secrets Manager secret: in the cloud no secret stands in a function's configuration.
"""

from chatsphere.settings.api import ApiSettings, BrowserSettings
from chatsphere.settings.billing import PlanSettings, StripeSettings
from chatsphere.settings.cache import CacheServerSettings, CacheSettings
from chatsphere.settings.database import (
    AuthenticatorSettings,
    DatabaseConnectionSettings,
    DatabaseSettings,
    EraserSettings,
    MaintainerSettings,
    MigrationSettings,
    PartitionSettings,
    ReaperSettings,
)
from chatsphere.settings.environment import SECRET_SUFFIX, Environment, FetchSecret, Secret, VendorKey
from chatsphere.settings.identity import (
    AccountSettings,
    CredentialThrottleSettings,
    MfaSettings,
    PasswordSettings,
    TokenIssuerSettings,
    TokenKeyVaultSettings,
    TokenSettings,
    TokenVerificationSettings,
)
from chatsphere.settings.mail import MailSettings
from chatsphere.settings.ocr import OcrSettings
from chatsphere.settings.operators import OperatorSettings
from chatsphere.settings.providers import (
    AnswerSettings,
    EmbeddingSettings,
    GeminiSettings,
    ProviderSettings,
    VectorStoreSettings,
)
from chatsphere.settings.storage import (
    ArchiveSettings,
    MalwareScanSettings,
    QueueSettings,
    StorageSettings,
    UploadCredentialsSettings,
)
from chatsphere.settings.web import WebSettings

__all__ = [
    "SECRET_SUFFIX",
    "AccountSettings",
    "AnswerSettings",
    "ApiSettings",
    "ArchiveSettings",
    "AuthenticatorSettings",
    "BrowserSettings",
    "CacheServerSettings",
    "CacheSettings",
    "CredentialThrottleSettings",
    "DatabaseConnectionSettings",
    "DatabaseSettings",
    "EmbeddingSettings",
    "Environment",
    "EraserSettings",
    "FetchSecret",
    "GeminiSettings",
    "MailSettings",
    "MaintainerSettings",
    "MalwareScanSettings",
    "MfaSettings",
    "MigrationSettings",
    "OcrSettings",
    "OperatorSettings",
    "PartitionSettings",
    "PasswordSettings",
    "PlanSettings",
    "ProviderSettings",
    "QueueSettings",
    "ReaperSettings",
    "Secret",
    "StorageSettings",
    "StripeSettings",
    "TokenIssuerSettings",
    "TokenKeyVaultSettings",
    "TokenSettings",
    "TokenVerificationSettings",
    "UploadCredentialsSettings",
    "VectorStoreSettings",
    "VendorKey",
    "WebSettings",
]
