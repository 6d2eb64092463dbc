"""The maintenance job on one machine, from outside of its functions."""

import os
from datetime import datetime

from chatsphere.bootstrap import Container
from chatsphere.upkeep.maintenance.maintenance import Maintenance
from chatsphere.upkeep.maintenance.model import Report
from infra.local.endpoints import Endpoints
from infra.local.home import Home
from infra.local.operations.database import maintainer_url
from infra.local.operations.silence import without_log
from infra.local.product import ARCHIVE_BUCKET


def maintain(home: Home, endpoints: Endpoints, deadline: datetime) -> tuple[Report, str]:
    """Run it, and return the report and the key under which it is kept in the archive's bucket."""
    # The AWS client reads its credentials from the environment alone.
    os.environ.update(
        AWS_ACCESS_KEY_ID=endpoints.access_key_id,
        AWS_SECRET_ACCESS_KEY=endpoints.secret_access_key,
        AWS_DEFAULT_REGION=endpoints.region,
    )
    container = Container(
        {
            "MAINTAINER_DATABASE_URL": maintainer_url(home, endpoints),
            "ARCHIVE_BUCKET": ARCHIVE_BUCKET,
            "S3_ENDPOINT": endpoints.s3_endpoint,
        }
    )
    try:
        with without_log():
            return Maintenance(container.maintainer_database, container.archive_store, container.clock).run(deadline)
    finally:
        container.maintainer_database.close()
