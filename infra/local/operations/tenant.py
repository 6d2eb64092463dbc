"""What the caller's organization says of its own work, asked over the API."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from chatsphere.cli.session import Session
from infra.local.operations.examined import Examined

STALLED: Final = timedelta(minutes=30)
LATE_RUN: Final = timedelta(hours=26)
LATE_ERASURE: Final = timedelta(days=1)
UNDER_WAY: Final = ("registered", "extracting", "embedding")


def stalled(session: Session, now: datetime) -> Iterator[Examined]:
    """Yield whether documents of any bot do not get on."""
    found = [
        document
        for bot in session.client.impatient().items("/bots")
        for status in UNDER_WAY
        for document in session.client.impatient().items(f"/bots/{bot['id']}/documents", {"status": status})
        if document.get("stage") != "budget" and now - datetime.fromisoformat(document["updated_at"]) > STALLED
    ]
    if found:
        names = ", ".join(document["id"] for document in found[:5])
        yield Examined(
            "documents",
            "warning",
            f"{len(found)} have not moved for half an hour: {names}",
            "See `chatsphere history` of one of them, and whether reap_stalled runs.",
        )
    else:
        yield Examined("documents", "ok", "None is stalled.")


def retention(session: Session, now: datetime) -> Iterator[Examined]:
    """Yield how the last retention run went."""
    runs = session.client.impatient().get("/retention/runs", {"limit": 1, "dry_run": "false"})["data"]
    if not runs:
        yield Examined("retention", "warning", "No run yet.", "It runs daily; on a new installation wait for a day.")
        return
    run = runs[0]
    age = now - datetime.fromisoformat(run["started_at"])
    found = f"The last run began {age / timedelta(hours=1):.0f} hours ago and is {run['status']}."
    if run["status"] == "failed" or age > LATE_RUN:
        yield Examined("retention", "warning", found, "See the logs of enforce_retention and run_jobs.")
    else:
        yield Examined("retention", "ok", found)


def erasures(session: Session, now: datetime) -> Iterator[Examined]:
    """Yield whether an erasure is late."""
    late = [
        erasure["id"]
        for erasure in session.client.impatient().items("/erasures")
        if erasure["status"] in ("pending", "running")
        and now - datetime.fromisoformat(erasure["requested_at"]) > LATE_ERASURE
    ]
    if late:
        found = f"{len(late)} have not ended within a day: {', '.join(late[:5])}"
        yield Examined("erasures", "failed", found, "See the log of purge_deleted, and whether reap_stalled runs.")
    else:
        yield Examined("erasures", "ok", "None is late.")


def webhooks(session: Session, _now: datetime) -> Iterator[Examined]:
    """Yield whether endpoints were switched off because nothing could be sent to them."""
    webhooks = session.client.impatient().items("/webhooks")
    off = [each for each in webhooks if each["disabled_reason"] in ("gone", "failing")]
    if off:
        found = ", ".join(f"{each['url']} ({each['disabled_reason']})" for each in off[:5])
        advice = "Once it answers again: `chatsphere webhooks enable ID`, then `chatsphere webhooks replay ID`."
        yield Examined("webhooks", "warning", f"{len(off)} endpoints were switched off: {found}", advice)
    else:
        yield Examined("webhooks", "ok", "None was switched off.")
