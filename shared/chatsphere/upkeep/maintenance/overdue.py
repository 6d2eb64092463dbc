"""What follows from work that is overdue, and from guards that are down. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from chatsphere.upkeep.maintenance.model import Finding, Measures, Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """How a kind is told: `meaning` is about {things} since {since}; `sql` about {about}."""

    severity: Severity
    meaning: str
    advice: str
    sql: str | None = None


OVERDUE: Final[Mapping[str, Rule]] = {
    "retention_late": Rule(
        "warning",
        "Organizations without a retention run for 26 hours or more: {things}, the longest since {since}.",
        "Run enforce_retention now (one machine: a restart does), and see its log and its schedule: "
        "docs/operations.md, What runs by the clock.",
    ),
    "retention_failed": Rule(
        "warning",
        "Organizations whose last retention run failed: {things}, the first on {since}.",
        "See the log of run_jobs for the code; the next daily run tries again.",
    ),
    "roll_up_late": Rule(
        "warning",
        "Changes of usage that are in no sum yet: {things}, the oldest of {since}. Reports lack them.",
        "Run roll_up_usage now (one machine: a restart does), and see its log: what fails again and again is there.",
    ),
    "erasure_late": Rule(
        "critical",
        "Erasures that have not ended within a day: {things}, the first asked for on {since}.",
        "See the log of purge_deleted: docs/operations.md, An erasure does not end.",
    ),
    "document_late": Rule(
        "warning",
        "Documents past their deadline that nobody has ended: {things}, the first since {since}.",
        "reap_stalled does not run, or fails: see its log and its schedule.",
    ),
    "webhook_off": Rule(
        "info",
        "Webhook endpoints that were switched off because they failed, or are gone: {things}, since {since}.",
        "Tell their owners: once it answers again, `chatsphere webhooks enable ID`, then replay what it missed.",
    ),
}
"""By the kinds of `overdue_queries.OVERDUE`."""

UNGUARDED: Final[Mapping[str, Rule]] = {
    "row_security_off": Rule(
        "critical",
        "Its row-level security was switched off: one of the two guards between tenants is down.",
        "Switch it on at once, and find out who switched it off.",
        "ALTER TABLE public.{about} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;",
    ),
    "role_too_strong": Rule(
        "critical",
        "The role may more than it needs: no policy binds it, or it may make roles or databases.",
        "Take that away at once, and find out who gave it.",
        "ALTER ROLE {about} NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB;",
    ),
    "grant_missing": Rule(
        "critical",
        "The role has a policy for the table and may not read it: what needs it fails.",
        "Grant what the migrations grant: compare with an installation that works (`\\dp` in psql).",
        "GRANT SELECT ON public.{about};",
    ),
}
"""By the kinds of `overdue_queries.UNGUARDED`."""


def overdue_findings(measures: Measures) -> Iterator[Finding]:
    """Yield what an operator should know of them."""
    for row in measures.overdue:
        yield _finding(OVERDUE[row["kind"]], row["kind"], "all tenants", {**row, "since": _day(row["since"])})
    for row in measures.unguarded:
        yield _finding(UNGUARDED[row["kind"]], row["kind"], row["about"], row)


def _finding(rule: Rule, kind: str, about: str, values: Mapping[str, Any]) -> Finding:
    sql = None if rule.sql is None else rule.sql.format_map(values)
    return Finding(kind, rule.severity, about, rule.meaning.format_map(values), rule.advice, sql)


def _day(since: datetime) -> str:
    return f"{since:%Y-%m-%d %H:%M}"
