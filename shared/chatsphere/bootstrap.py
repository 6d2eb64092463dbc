"""Everything concrete is chosen here, from the environment, when it is first needed."""

import os
from collections.abc import Collection, Mapping
from datetime import timedelta
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from chatsphere import ports, settings
from chatsphere.db.database import Database, EventsHook

if TYPE_CHECKING:
    from chatsphere.archive.archiving import Archiver
    from chatsphere.archive.erasing import ArchiveEraser
    from chatsphere.identity.passwords import Passwords
    from chatsphere.identity.second_factor import SecondFactor
    from chatsphere.identity.sessions import Sessions
    from chatsphere.identity.throttling import CredentialThrottle
    from chatsphere.identity.token_keys import KeyRing

Group = TypeVar("Group", bound=settings.Environment)


class Container:
    """One execution environment's adapters.

    Vendor imports happen inside the properties, so that a function pays only for what it touches.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    @cached_property
    def clock(self) -> ports.Clock:
        """The machine's clock."""
        from chatsphere.adapters.system import SystemClock

        return SystemClock()

    @cached_property
    def ids(self) -> ports.Ids:
        """Ordered identifiers."""
        from chatsphere.adapters.system import SystemClock, UuidV7Ids

        return UuidV7Ids(SystemClock())

    @cached_property
    def database(self) -> Database:
        """The application role's connection."""
        chosen = self._load(settings.DatabaseSettings)
        return _database(chosen.database_url, chosen, self._wake_webhooks)

    @cached_property
    def authenticator_database(self) -> Database:
        """The connection that finds credentials of every tenant."""
        chosen = self._load(settings.AuthenticatorSettings)
        return _database(chosen.authenticator_database_url, chosen)

    @cached_property
    def reaper_database(self) -> Database:
        """The connection that finds stalled work of every tenant."""
        chosen = self._load(settings.ReaperSettings)
        return _database(chosen.reaper_database_url, chosen)

    @cached_property
    def eraser_database(self) -> Database:
        """The connection that deletes people in every tenant."""
        chosen = self._load(settings.EraserSettings)
        return _database(chosen.eraser_database_url, chosen, self._wake_webhooks)

    @cached_property
    def maintainer_database(self) -> Database:
        """The connection that keeps the database itself, and finds whose data is due to go."""
        chosen = self._load(settings.MaintainerSettings)
        return _database(chosen.maintainer_database_url, chosen)

    @cached_property
    def partition_settings(self) -> settings.PartitionSettings:
        """How tables are divided by time."""
        return self._load(settings.PartitionSettings)

    @property
    def token_signer(self) -> ports.TokenSigner:
        """Signer of access tokens. Asked for each time, so that rotated keys reach a running process."""
        return _signer(self.token_settings)

    @property
    def token_verifier(self) -> ports.TokenVerifier:
        """Verifier of access tokens; as `token_signer`."""
        return _verifier(self._load(settings.TokenVerificationSettings))

    @property
    def receipt_signer(self) -> ports.ReceiptSigner:
        """Signer of receipts; as `token_signer`."""
        from chatsphere.adapters.jws_receipts import JwsReceiptSigner

        return JwsReceiptSigner(self.token_settings)

    @property
    def token_settings(self) -> settings.TokenSettings:
        """Lifetimes and keys of tokens."""
        return self._load(settings.TokenSettings)

    @cached_property
    def migration_settings(self) -> settings.MigrationSettings:
        """How the database's administrator reaches it."""
        return self._load(settings.MigrationSettings)

    def administrator_token(self, url: str) -> str:
        """Return a password that IAM signed for the administrator of the database at `url`."""
        from chatsphere.adapters.rds_iam import RdsIamPassword

        return RdsIamPassword(url)()

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
    def passwords(self) -> ports.PasswordHasher:
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
    def secret_box(self) -> ports.SecretBox:
        """What encrypts second factors' secrets."""
        from chatsphere.adapters.fernet_box import FernetSecretBox

        return FernetSecretBox(*self.mfa_settings.mfa_encryption_keys)

    @staticmethod
    def answer_box(secret: str) -> ports.SecretBox:
        """Return what seals the kept answer of a request with an `Idempotency-Key`."""
        from chatsphere.adapters.fernet_box import FernetSecretBox

        return FernetSecretBox(secret)

    @cached_property
    def mail_settings(self) -> settings.MailSettings:
        """Where the links of mails lead."""
        return self._load(settings.MailSettings)

    @cached_property
    def mailer(self) -> ports.Mailer:
        """What sends mail."""
        if self.mail_settings.mailer == "ses":
            from chatsphere.adapters.ses import SesMailer

            return SesMailer(self.mail_settings)
        if self.mail_settings.mailer == "none":
            from chatsphere.adapters.no_mail import NoMailer

            return NoMailer()
        from chatsphere.adapters.mail_files import FileMailer

        return FileMailer(self.mail_settings)

    @cached_property
    def plan_settings(self) -> settings.PlanSettings:
        """The plan of a new organization."""
        return self._load(settings.PlanSettings)

    @cached_property
    def stripe_settings(self) -> settings.StripeSettings:
        """Whether, and how, plans are paid for."""
        return self._load(settings.StripeSettings)

    @cached_property
    def payments(self) -> ports.Payments:
        """What takes money.

        Raises:
            BillingOffError: nothing does.
        """
        from chatsphere.errors import BillingOffError

        if self.stripe_settings.stripe_api_key is None:
            raise BillingOffError
        from chatsphere.adapters.stripe_payments import StripePayments

        return StripePayments(self.stripe_settings)

    @cached_property
    def storage_settings(self) -> settings.StorageSettings:
        """Limits of uploads."""
        return self._load(settings.StorageSettings)

    @cached_property
    def object_store(self) -> ports.ObjectStore:
        """The uploads bucket."""
        from chatsphere.adapters.s3 import S3ObjectStore

        return S3ObjectStore(self.storage_settings.uploads_bucket, self.storage_settings.s3_endpoint)

    @cached_property
    def archive_store(self) -> ports.ObjectStore:
        """The bucket of what was archived and exported."""
        from chatsphere.adapters.s3 import S3ObjectStore

        chosen = self._load(settings.ArchiveSettings)
        return S3ObjectStore(chosen.archive_bucket, chosen.s3_endpoint)

    @cached_property
    def row_files(self) -> ports.RowFiles:
        """How archived rows are written and read."""
        from chatsphere.adapters.parquet import ParquetFiles

        return ParquetFiles()

    @cached_property
    def archiver(self) -> "Archiver":
        """Moves rows into the archive."""
        from chatsphere.archive.archiving import Archiver

        return Archiver(self.database, self.archive_store, self.row_files, self.clock, self.ids)

    @cached_property
    def archive_eraser(self) -> "ArchiveEraser":
        """Takes rows out of the archive."""
        from chatsphere.archive.erasing import ArchiveEraser

        return ArchiveEraser(self.database, self.archive_store, self.row_files, self.clock, self.ids)

    @cached_property
    def malware_scanner(self) -> ports.MalwareScanner | None:
        """What says whether an uploaded object is clean; None where nobody scans."""
        if self._load(settings.MalwareScanSettings).malware_scan == "off":
            return None
        from chatsphere.adapters.guardduty import GuardDutyTags

        return GuardDutyTags(self.storage_settings)

    @cached_property
    def extract_queue(self) -> ports.MessageQueue:
        """Documents to be read."""
        return self._queue("extract_queue_url")

    @cached_property
    def embed_queue(self) -> ports.MessageQueue:
        """Batches of chunks to be embedded."""
        return self._queue("embed_queue_url")

    @cached_property
    def purge_queue(self) -> ports.MessageQueue:
        """Bots and documents to be deleted."""
        return self._queue("purge_queue_url")

    @cached_property
    def mail_queue(self) -> ports.MessageQueue:
        """Mails to be written and sent."""
        return self._queue("mail_queue_url")

    @cached_property
    def fetch_queue(self) -> ports.MessageQueue:
        """Pages and sitemaps to be fetched."""
        return self._queue("fetch_queue_url")

    @cached_property
    def reconcile_queue(self) -> ports.MessageQueue:
        """Bots whose stores are to be compared."""
        return self._queue("reconcile_queue_url")

    @cached_property
    def jobs_queue(self) -> ports.MessageQueue:
        """Long work of one tenant: retention runs, restores, exports and imports of bots."""
        return self._queue("jobs_queue_url")

    @cached_property
    def webhooks_queue(self) -> ports.MessageQueue:
        """Tenants whose webhooks have something to be told."""
        return self._queue("webhooks_queue_url")

    @staticmethod
    def load_aws_client() -> None:
        """Load the library that several adapters load when they are first used."""
        import boto3

        boto3.session.Session()

    @cached_property
    def queue_gauges(self) -> ports.QueueGauges | None:
        """What sees how long the queues are whose addresses this function has; None: it has none."""
        from chatsphere.adapters.sqs_gauges import SqsGauges

        queues = self._load(settings.QueueSettings)
        fields = queues.model_dump(exclude_none=True)
        urls = {name.removesuffix("_queue_url"): url for name, url in fields.items() if name.endswith("_queue_url")}
        return SqsGauges(urls, endpoint=queues.sqs_endpoint) if urls else None

    @cached_property
    def web_settings(self) -> settings.WebSettings:
        """How pages of the web are fetched."""
        return self._load(settings.WebSettings)

    @cached_property
    def page_fetcher(self) -> ports.PageFetcher:
        """What asks web servers."""
        from chatsphere.adapters.web import WebPages

        return WebPages(self.web_settings)

    @cached_property
    def web_poster(self) -> ports.WebPoster:
        """What sends to web servers."""
        from chatsphere.adapters.web import WebPosts

        return WebPosts(self.web_settings)

    @cached_property
    def webhook_box(self) -> ports.SecretBox:
        """What encrypts the secrets of webhooks: of the same texts as second factors' box, with keys of its own."""
        from chatsphere.adapters.fernet_box import FernetSecretBox

        return FernetSecretBox(*self.mfa_settings.mfa_encryption_keys, purpose="webhooks")

    def remote_models(self) -> dict[str, ports.Reachable | None]:
        """Return the models by what they are for; None: it runs where it is used, and there is nothing to reach.

        Raises:
            ConfigurationError: a model lacks a setting.
        """
        from chatsphere.adapters.gemini.answers import GeminiAnswerModel
        from chatsphere.adapters.gemini.embedder import GeminiEmbedder

        embedding, answers = self._embedding_settings, self._load(settings.AnswerSettings)
        today = self.clock.now().date()
        return {
            "embedding_model": GeminiEmbedder(embedding) if embedding.embedder == "gemini" else None,
            "answer_model": GeminiAnswerModel(answers, today) if answers.answer_model == "gemini" else None,
        }

    @cached_property
    def embedder(self) -> ports.Embedder:
        """The model that embeds bots for which no other was chosen."""
        if self._embedding_settings.embedder == "gemini":
            from chatsphere.adapters.gemini.embedder import GeminiEmbedder

            return GeminiEmbedder(self._embedding_settings)
        if self._embedding_settings.embedder == "local" and self._local_embedder is not None:
            return self._local_embedder
        from chatsphere.adapters.minilm import MiniLmEmbedder

        return MiniLmEmbedder()

    def embedder_for(self, model: str | None) -> ports.Embedder:
        """Return the embedder of this name, None: the deployment's own; one a process for each.

        Raises:
            EmbeddingModelUnavailableError: the deployment has no such model, or its key no more.
        """
        if model is None or model == self.embedder.model:
            return self.embedder
        if model not in self._further_embedders:
            self._further_embedders[model] = self._make_embedder(model)
        return self._further_embedders[model]

    def available_embedders(self) -> list[ports.EmbeddingModel]:
        """Return every model that this deployment can embed with. Loads none of them."""
        from chatsphere.adapters.embedding_models import embedding_models

        return embedding_models(self._embedding_settings)

    def _make_embedder(self, model: str) -> ports.Embedder:
        from chatsphere.adapters.minilm import MODEL, MiniLmEmbedder

        if model == MODEL:
            return MiniLmEmbedder()
        if self._local_embedder is not None and model == self._local_embedder.model:
            return self._local_embedder
        from chatsphere.adapters.gemini.embedder import GeminiEmbedder

        return GeminiEmbedder.of_model(model, self._embedding_settings)

    @cached_property
    def _local_embedder(self) -> ports.Embedder | None:
        """The model of the folder that the settings name."""
        if self._embedding_settings.local_embedding_model is None:
            return None
        from chatsphere.adapters.embedding_models import local_model_folder
        from chatsphere.adapters.local_model import LocalEmbedder

        folder = local_model_folder(self._embedding_settings)
        return None if folder is None else LocalEmbedder(folder)

    @cached_property
    def _embedding_settings(self) -> settings.EmbeddingSettings:
        return self._load(settings.EmbeddingSettings)

    @cached_property
    def _further_embedders(self) -> dict[str, ports.Embedder]:
        return {}

    @cached_property
    def ocr_settings(self) -> settings.OcrSettings:
        """Whether, and how much of a document, is read by OCR."""
        return self._load(settings.OcrSettings)

    @cached_property
    def ocr(self) -> ports.Ocr | None:
        """What reads scanned pages; None where that is off."""
        if self.ocr_settings.ocr == "tesseract":
            from chatsphere.adapters.ocr_tesseract import TesseractOcr

            return TesseractOcr(self.ocr_settings)
        if self.ocr_settings.ocr == "textract":
            from chatsphere.adapters.textract import TextractOcr

            return TextractOcr(self.ocr_settings)
        return None

    def check_ocr(self) -> None:
        """See that the chosen OCR engine is on this machine, where it has to be.

        Raises:
            ConfigurationError: the program, or a language of it, is missing.
        """
        if self.ocr_settings.ocr == "tesseract":
            from chatsphere.adapters.ocr_tesseract import TesseractOcr

            TesseractOcr(self.ocr_settings).check()

    @cached_property
    def token_counter(self) -> ports.TokenCounter:
        """The embedder's tokenizer without its model."""
        if self._load(settings.EmbeddingSettings).embedder == "gemini":
            from chatsphere.adapters.gemini.tokens import GeminiTokenEstimate

            return GeminiTokenEstimate()
        if self._embedding_settings.embedder == "local":
            return self.embedder
        from chatsphere.adapters.minilm import MiniLmTokenizer

        return MiniLmTokenizer()

    @cached_property
    def vector_store(self) -> ports.VectorStore:
        """The vector store."""
        chosen = self._load(settings.VectorStoreSettings)
        if chosen.vector_store == "pinecone":
            from chatsphere.adapters.pinecone.further_index import FurtherPineconeIndex
            from chatsphere.adapters.pinecone.store import PineconeVectorStore
            from chatsphere.adapters.vectors_by_length import VectorsByLength

            pinecone = PineconeVectorStore(chosen)
            return VectorsByLength(pinecone, chosen.vector_dimensions, partial(FurtherPineconeIndex, chosen))
        if chosen.vector_store == "qdrant":
            from chatsphere.adapters.qdrant.store import FurtherQdrantCollection, QdrantVectorStore
            from chatsphere.adapters.vectors_by_length import VectorsByLength

            qdrant = QdrantVectorStore(chosen)
            return VectorsByLength(qdrant, chosen.vector_dimensions, partial(FurtherQdrantCollection, chosen))
        from chatsphere.adapters.pgvector import PgVectorStore

        return PgVectorStore(self.database)

    @property
    def vector_store_kind(self) -> str:
        """Which vector store it is."""
        return self._load(settings.VectorStoreSettings).vector_store

    @cached_property
    def message_vectors(self) -> ports.MessageVectors:
        """The vectors of messages, in the same store."""
        chosen = self._load(settings.VectorStoreSettings)
        if chosen.vector_store == "pinecone":
            from chatsphere.adapters.pinecone.messages import PineconeMessageVectors

            return PineconeMessageVectors(chosen)
        if chosen.vector_store == "qdrant":
            from chatsphere.adapters.qdrant.messages import QdrantMessageVectors

            return QdrantMessageVectors(chosen)
        from chatsphere.adapters.pgvector_messages import PgMessageVectors

        return PgMessageVectors(self.database)

    @cached_property
    def cache_settings(self) -> settings.CacheSettings:
        """Where the cache is, if there is one."""
        return self._load(settings.CacheSettings)

    @cached_property
    def cache_server_settings(self) -> settings.CacheServerSettings:
        """How the cache is used."""
        return self._load(settings.CacheServerSettings)

    @cached_property
    def cache(self) -> ports.Cache | None:
        """What answers and embeddings are kept in to be given again; None where that is off."""
        chosen = self.cache_server_settings
        if chosen.cache == "off":
            return None
        if chosen.cache == "redis":
            from chatsphere.adapters.redis.cache import RedisCache

            return RedisCache(chosen)
        from chatsphere.adapters.postgres_cache import PostgresCache

        return PostgresCache(self.database, self.clock)

    @cached_property
    def personal_data(self) -> ports.PersonalDataFinder:
        """What finds personal data in texts."""
        from chatsphere.adapters.redaction import RuleFinder

        return RuleFinder()

    def prepare_vector_store(self) -> None:
        """Make what the vector store needs before its first use: an index at Pinecone, a collection at Qdrant."""
        chosen = self._load(settings.VectorStoreSettings)
        if chosen.vector_store == "pinecone":
            from chatsphere.adapters.pinecone.index import ensure_index

            ensure_index(chosen, chosen.vector_dimensions)
        elif chosen.vector_store == "qdrant":
            from chatsphere.adapters.qdrant.collection import ensure_collection

            ensure_collection(chosen)

    @cached_property
    def answer_model(self) -> ports.AnswerModel:
        """The model that writes answers."""
        chosen = self._load(settings.AnswerSettings)
        if chosen.answer_model == "gemini":
            from chatsphere.adapters.gemini.answers import GeminiAnswerModel

            return GeminiAnswerModel(chosen, today=self.clock.now().date())
        from chatsphere.adapters.extractive import ExtractiveAnswerModel

        return ExtractiveAnswerModel(self.embedder)

    @cached_property
    def upload_credentials(self) -> ports.UploadCredentials:
        """Temporary credentials for uploads."""
        from chatsphere.adapters.sts import StsUploadCredentials

        return StsUploadCredentials(self.upload_credentials_settings, self.storage_settings)

    @cached_property
    def upload_credentials_settings(self) -> settings.UploadCredentialsSettings:
        """Where uploads go, and for how long they may."""
        return self._load(settings.UploadCredentialsSettings)

    @cached_property
    def browser_settings(self) -> settings.BrowserSettings:
        """Which pages may read answers."""
        return self._load(settings.BrowserSettings)

    @cached_property
    def api_settings(self) -> settings.ApiSettings:
        """What the API says of itself."""
        return self._load(settings.ApiSettings)

    def _load(self, group: type[Group]) -> Group:
        return group.load(self._environment, self._fetch_secret)

    def _fetch_secret(self, arn: str) -> str:
        from chatsphere.adapters.secrets_manager import fetch_secret

        return fetch_secret(arn)

    def _wake_webhooks(self, organizations: Collection[UUID]) -> None:
        """Have new events delivered, where this function may send there; else, the reaper finds them."""
        if self._load(settings.QueueSettings).webhooks_queue_url is not None:
            from chatsphere.webhooks.waking import wake

            wake(lambda: self.webhooks_queue, organizations)

    def _queue(self, variable: str) -> ports.MessageQueue:
        from chatsphere.adapters.sqs import SqsQueue
        from chatsphere.errors import ConfigurationError

        queues = self._load(settings.QueueSettings)
        url = getattr(queues, variable)
        if url is None:
            raise ConfigurationError(f"{variable.upper()} is not set: this function may not send there.")
        return SqsQueue(url, endpoint=queues.sqs_endpoint)


def _database(url: str, chosen: settings.DatabaseConnectionSettings, on_events: EventsHook | None = None) -> Database:
    password = None
    if chosen.database_authentication == "iam":
        from chatsphere.adapters.rds_iam import RdsIamPassword

        password = RdsIamPassword(url)
    return Database(url, password=password, connect_seconds=chosen.database_connect_seconds, on_events=on_events)


@lru_cache(maxsize=1)
def _signer(chosen: settings.TokenSettings) -> ports.TokenSigner:
    from chatsphere.adapters.jwt_tokens import JwtTokenSigner

    return JwtTokenSigner(chosen)


@lru_cache(maxsize=1)
def _verifier(chosen: settings.TokenVerificationSettings) -> ports.TokenVerifier:
    from chatsphere.adapters.jwt_tokens import JwtTokenVerifier

    return JwtTokenVerifier(chosen)


@lru_cache(maxsize=1)
def container() -> Container:
    """Return this process's container, made from its environment."""
    return Container(os.environ)
