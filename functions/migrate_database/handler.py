"""Prepares database, token keys and vector store at each deployment, as a CloudFormation custom resource.

It is invoked by CDK's provider framework; an exception fails the deployment. Operators invoke it directly to
rotate the token keys.
"""

from typing import Any

from chatsphere.bootstrap import container
from chatsphere.db.deployment import migrate_as_administrator, once_reachable
from chatsphere.observability import invocation

PHYSICAL_ID = "chatsphere-database"


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer `{"RequestType": "Create" | "Update" | "Delete", …}`, or `{"RotateTokenKeys": "add" | …}`.

    A deletion does nothing: what becomes of the data is the cluster's removal policy's to say.
    """
    with invocation(event.get("RequestId")):
        if "RotateTokenKeys" in event:
            return {"keys": container().token_key_ring.rotate(event["RotateTokenKeys"])}
        if event["RequestType"] == "Delete":
            return {"PhysicalResourceId": event["PhysicalResourceId"]}
        settings = once_reachable(lambda: container().migration_settings)
        revision = migrate_as_administrator(settings, container().administrator_token)
        container().token_key_ring.ensure()
        container().prepare_vector_store()
        return {"PhysicalResourceId": PHYSICAL_ID, "Data": {"Revision": revision}}
