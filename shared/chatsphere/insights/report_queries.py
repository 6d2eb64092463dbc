"""SQL of reports. Days that are marked are read from their events, all others from their sums: in one statement, so
that the numbers are those of the events at one moment, to the unit.
"""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

from chatsphere.insights.asking import Group
from chatsphere.insights.measures import DAYS, DIMENSIONS, EVENTS, MEASURED, MEASURES, SUMMED, TIMED

_COLUMNS: Final = ", ".join(MEASURES)
_CELL: Final = ", ".join(DIMENSIONS)

_KEYS: Final = {
    Group.DAY: "day",
    Group.BOT: "bot_id",
    Group.API_KEY: "api_key_id",
    Group.END_USER: "end_user_id",
    Group.MODEL: "model",
    Group.CHANNEL: "channel",
}

_NAMES: Final = {Group.BOT: "bots", Group.API_KEY: "api_keys"}
"""Where the names stand of what is grouped by its id."""

_DAYS: Final = f"""
    {DAYS} FROM (
        SELECT DISTINCT day FROM usage_marks
        WHERE organization_id = app.current_organization() AND day BETWEEN %(first)s AND %(last)s
          AND day >= (SELECT before FROM usage_closed)) marked
"""

_OF_KEPT: Final = """
    organization_id = app.current_organization() AND day BETWEEN %(first)s AND %(last)s
    AND day NOT IN (SELECT day FROM days)
"""

_OF_BOTS: Final = """
    (%(bot_id)s::uuid IS NULL OR bot_id = %(bot_id)s) AND (%(bot_ids)s::uuid[] IS NULL OR bot_id = ANY (%(bot_ids)s))
"""

_OF_CELLS: Final = f"""
    {_OF_BOTS} AND (%(api_key_id)s::uuid IS NULL OR api_key_id = %(api_key_id)s)
    AND (%(model)s::text IS NULL OR model = %(model)s) AND (%(channel)s::text IS NULL OR channel = %(channel)s)
"""

_OF_END_USERS: Final = f"{_OF_BOTS} AND (%(end_user)s::text IS NULL OR end_user_id = %(end_user)s)"


def measured(group: Group, *, of_end_users: bool) -> str:
    """Return the query of sums by group: a row of all (`is_total`), then `limit` groups after the one named `after`.

    `key` is the group as text, '' where the events name none; `name` what a bot or key is called, where it is known.
    """
    table, cell, where = "usage_daily", _CELL, _OF_CELLS
    if of_end_users:
        table, cell, where = "usage_daily_end_users", "bot_id, end_user_id", _OF_END_USERS
    named = "end_user_id IS NOT NULL AND" if of_end_users else ""
    return f"""
        WITH days AS MATERIALIZED ({_DAYS}), events AS ({EVENTS}),
        cells AS (
            SELECT day, {cell}, {_COLUMNS} FROM {table} WHERE {_OF_KEPT} AND {where}
            UNION ALL
            SELECT day, {cell}, {MEASURED} FROM events WHERE {named} {where} GROUP BY day, {cell}),
        groups AS (
            SELECT COALESCE({_KEYS[group]}::text, '') COLLATE "C" AS key, {SUMMED} FROM cells GROUP BY 1),
        page AS (
            SELECT * FROM groups WHERE %(after)s::text IS NULL OR key > %(after)s ORDER BY key LIMIT %(limit)s)
        SELECT true AS is_total, NULL AS key, NULL AS name, {SUMMED} FROM groups
        UNION ALL
        SELECT false, page.key, {_name(group)}, {_COLUMNS} FROM page
        ORDER BY is_total DESC, key
    """


def timed(group: Group) -> str:
    """Return the query of latencies by group and stage, in the order and with the names of `measured`.

    Each row has `milliseconds` in all, and the counts of its buckets.
    """
    return f"""
        WITH days AS MATERIALIZED ({_DAYS}), events AS ({EVENTS}),
        cells AS (
            SELECT day, {_CELL}, stage, held.bucket, held.answers,
                CASE WHEN held.place = 1 THEN milliseconds ELSE 0 END AS milliseconds
            FROM usage_daily_latencies
            CROSS JOIN LATERAL unnest(buckets, counts) WITH ORDINALITY AS held (bucket, answers, place)
            WHERE {_OF_KEPT} AND {_OF_CELLS}
            UNION ALL
            SELECT * FROM ({TIMED}) timed WHERE {_OF_CELLS}),
        merged AS (
            SELECT COALESCE({_KEYS[group]}::text, '') COLLATE "C" AS key, stage, bucket,
                sum(answers)::bigint AS answers, sum(milliseconds)::bigint AS milliseconds
            FROM cells GROUP BY 1, stage, bucket),
        page AS (
            SELECT DISTINCT key FROM merged
            WHERE %(after)s::text IS NULL OR key > %(after)s ORDER BY key LIMIT %(limit)s)
        SELECT true AS is_total, NULL AS key, NULL AS name, stage, sum(milliseconds)::bigint AS milliseconds,
            array_agg(bucket) AS buckets, array_agg(answers) AS counts
        FROM (SELECT stage, bucket, sum(answers)::bigint AS answers, sum(milliseconds) AS milliseconds
              FROM merged GROUP BY stage, bucket) of_all
        GROUP BY stage
        UNION ALL
        SELECT false, page.key, {_name(group)}, stage, milliseconds, buckets, counts
        FROM page
        JOIN LATERAL (
            SELECT stage, sum(milliseconds)::bigint AS milliseconds, array_agg(bucket) AS buckets,
                array_agg(answers) AS counts
            FROM merged WHERE merged.key = page.key GROUP BY stage) of_group ON true
        ORDER BY is_total DESC, key, stage
    """


def _name(group: Group) -> str:
    table = _NAMES.get(group)
    if table is None:
        return "NULL"
    return f"""(
        SELECT name FROM {table}
        WHERE organization_id = app.current_organization() AND id = NULLIF(page.key, '')::uuid)"""
