"""The maintenance job: measure, analyze what is stale, report."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chatsphere.db.database import Database
from chatsphere.observability import logger
from chatsphere.ports.objects import ObjectStore
from chatsphere.ports.system import Clock
from chatsphere.upkeep.maintenance.findings import findings_of
from chatsphere.upkeep.maintenance.measuring import analyze_stale, measure
from chatsphere.upkeep.maintenance.model import Report

FOLDER: Final = "operations/maintenance/"
JSON_TYPE: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Looks after the database. `database` is the maintainer's; `store` is the archive's bucket."""

    database: Database
    store: ObjectStore
    clock: Clock

    def run(self, deadline: datetime) -> tuple[Report, str]:
        """Return the report, and the key under which it is kept. Running it twice at once does no harm.

        Raises:
            UnavailableError: the database does not answer, or the bucket does not take the report.
        """
        now = self.clock.now()
        before = measure(self.database, now)
        analyzed = analyze_stale(self.database, before, self.clock, deadline)
        measures = measure(self.database, now) if analyzed else before
        report = Report(now, measures, findings_of(measures, now), analyzed)
        key = f"{FOLDER}{now:%Y-%m-%dT%H%M%SZ}.json"
        self.store.put(key, _body(report), content_type=JSON_TYPE, metadata={})
        for finding in report.findings:
            if finding.severity != "info":
                logger.warning("database", code=finding.code, severity=finding.severity, about=finding.about)
        logger.info("maintenance done", report=key, analyzed=len(analyzed), findings=report.counts())
        return report, key


def _body(report: Report) -> bytes:
    return json.dumps(report.to_json(), default=_plain, ensure_ascii=False, indent=1).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    return float(value)
