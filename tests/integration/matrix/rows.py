"""Every operation's row. One without a row, or a row without an operation, fails the matrix."""

from typing import Final

from tests.integration.matrix.row import Row
from tests.integration.matrix.rows_of_archive import ARCHIVE
from tests.integration.matrix.rows_of_bots import BOTS
from tests.integration.matrix.rows_of_erasures import ERASURES
from tests.integration.matrix.rows_of_insights import INSIGHTS
from tests.integration.matrix.rows_of_organizations import ORGANIZATIONS
from tests.integration.matrix.rows_of_people import PEOPLE
from tests.integration.matrix.rows_of_retention import RETENTION
from tests.integration.matrix.rows_of_transfers import TRANSFERS
from tests.integration.matrix.rows_of_webhooks import WEBHOOKS

ROWS: Final[dict[str, Row]] = {
    **PEOPLE,
    **ORGANIZATIONS,
    **BOTS,
    **ARCHIVE,
    **ERASURES,
    **INSIGHTS,
    **RETENTION,
    **TRANSFERS,
    **WEBHOOKS,
}
