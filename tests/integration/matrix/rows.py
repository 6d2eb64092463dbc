"""Every operation's row. One without a row, or a row without an operation, fails the matrix."""

from typing import Final

from tests.integration.matrix.row import Row
from tests.integration.matrix.rows_of_bots import BOTS
from tests.integration.matrix.rows_of_organizations import ORGANIZATIONS
from tests.integration.matrix.rows_of_people import PEOPLE

ROWS: Final[dict[str, Row]] = {**PEOPLE, **ORGANIZATIONS, **BOTS}
