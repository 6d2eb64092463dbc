"""The deployed stacks, and who uses them."""

from dataclasses import dataclass, field
from typing import Any

import psycopg

from infra.cloud.constructs.rest_api import STAGE
from tests.e2e.client import Client
from tests.emulator.database import Cluster
from tests.emulator.deployment import outputs, physical_id
from tests.emulator.ministack import MiniStack
from tests.emulator.templates import Template, resources
from tests.waiting import wait_for


@dataclass
class Deployed:
    """The deployment, and who uses it. `stacks`: the templates by the last part of their stacks' names."""

    ministack: MiniStack
    cluster: Cluster
    prefix: str
    stacks: dict[str, Template]
    client: Client = field(init=False)
    bot_id: str = ""
    document_id: str = ""

    @property
    def api(self) -> str:
        """Where the REST API answers."""
        return self.ministack.invoke_url(self.name_of("api", "AWS::ApiGateway::RestApi"), STAGE)

    @property
    def uploads(self) -> str:
        """Name of the uploads bucket."""
        return outputs(self.ministack, f"{self.prefix}-data")["UploadsBucket"]

    def name_of(self, stack: str, kind: str) -> str:
        """Return the physical id of a stack's only resource of a type."""
        ((logical_id, _),) = resources(self.stacks[stack], kind)
        return physical_id(self.ministack, f"{self.prefix}-{stack}", logical_id)

    def key(self, name: str) -> str:
        """Return the key of the bot's object of this name."""
        return f"{self.client.organization_id}/{self.bot_id}/{name}"

    def query(self, statement: Any, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the database as its superuser."""
        with psycopg.connect(self.cluster.superuser, autocommit=True) as connection:
            return connection.execute(statement, values).fetchall()

    def ready(self, name: str) -> dict[str, Any]:
        """Wait until the document of this name is ready."""

        def ended() -> dict[str, Any] | None:
            found = [d for d in self.client.documents(self.bot_id) if d["name"] == name]
            return found[0] if found and found[0]["status"] in ("ready", "failed") else None

        document = wait_for(ended, what=f"{name} to be ready")
        assert document is not None
        assert document["status"] == "ready", document
        return document
