"""A part of the container; see `chatsphere.bootstrap`."""

from collections.abc import Collection
from functools import cached_property
from uuid import UUID

from chatsphere import settings
from chatsphere.bootstrap.environment import EnvironmentParts
from chatsphere.db.database import Database, EventsHook
from chatsphere.ports.queues import MessageQueue, QueueGauges
from chatsphere.ports.system import Clock, Ids


class Connections(EnvironmentParts):
    """Clock, identifiers, databases and queues."""

    @cached_property
    def clock(self) -> Clock:
        """The machine's clock."""
        from chatsphere.adapters.system import SystemClock

        return SystemClock()

    @cached_property
    def ids(self) -> Ids:
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

    @cached_property
    def migration_settings(self) -> settings.MigrationSettings:
        """How the database's administrator reaches it."""
        return self._load(settings.MigrationSettings)

    def administrator_token(self, url: str) -> str:
        """Return a password that IAM signed for the administrator of the database at `url`."""
        from chatsphere.adapters.rds_iam import RdsIamPassword

        return RdsIamPassword(url)()

    @cached_property
    def extract_queue(self) -> MessageQueue:
        """Documents to be read."""
        return self._queue("extract_queue_url")

    @cached_property
    def embed_queue(self) -> MessageQueue:
        """Batches of chunks to be embedded."""
        return self._queue("embed_queue_url")

    @cached_property
    def purge_queue(self) -> MessageQueue:
        """Bots and documents to be deleted."""
        return self._queue("purge_queue_url")

    @cached_property
    def mail_queue(self) -> MessageQueue:
        """Mails to be written and sent."""
        return self._queue("mail_queue_url")

    @cached_property
    def fetch_queue(self) -> MessageQueue:
        """Pages and sitemaps to be fetched."""
        return self._queue("fetch_queue_url")

    @cached_property
    def reconcile_queue(self) -> MessageQueue:
        """Bots whose stores are to be compared."""
        return self._queue("reconcile_queue_url")

    @cached_property
    def jobs_queue(self) -> MessageQueue:
        """Long work of one tenant: retention runs, restores, exports and imports of bots."""
        return self._queue("jobs_queue_url")

    @cached_property
    def webhooks_queue(self) -> MessageQueue:
        """Tenants whose webhooks have something to be told."""
        return self._queue("webhooks_queue_url")

    @staticmethod
    def load_aws_client() -> None:
        """Load the library that several adapters load when they are first used."""
        import boto3

        boto3.session.Session()

    @cached_property
    def queue_gauges(self) -> QueueGauges | None:
        """What sees how long the queues are whose addresses this function has; None: it has none."""
        from chatsphere.adapters.sqs_gauges import SqsGauges

        queues = self._load(settings.QueueSettings)
        fields = queues.model_dump(exclude_none=True)
        urls = {name.removesuffix("_queue_url"): url for name, url in fields.items() if name.endswith("_queue_url")}
        return SqsGauges(urls, endpoint=queues.sqs_endpoint) if urls else None

    def _wake_webhooks(self, organizations: Collection[UUID]) -> None:
        """Have new events delivered, where this function may send there; else, the reaper finds them."""
        if self._load(settings.QueueSettings).webhooks_queue_url is not None:
            from chatsphere.webhooks.waking import wake

            wake(lambda: self.webhooks_queue, organizations)

    def _queue(self, variable: str) -> MessageQueue:
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
