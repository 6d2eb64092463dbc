"""The SQL of budgets. Row level security already hides other tenants; each query says it again."""

from typing import Final

HOLD_MONTH: Final = """
    SELECT FROM budget_periods
    WHERE organization_id = app.current_organization() AND subject_id = organization_id AND period = %(period)s
    FOR UPDATE
"""
"""Hold the organization's month. Its keys' months need no lock of their own: who counts them holds this."""

BEGIN_MONTH: Final = """
    INSERT INTO budget_periods (organization_id, subject_id, period)
    VALUES (app.current_organization(), app.current_organization(), %(period)s)
    ON CONFLICT DO NOTHING
"""

LIMITS: Final = """
    SELECT plan.name AS plan, (plan.features ->> 'messages_per_month')::bigint AS messages,
        organizations.monthly_budget_tokens AS tokens, organizations.monthly_budget_microdollars AS microdollars,
        api_keys.monthly_budget_tokens AS key_tokens, api_keys.monthly_budget_microdollars AS key_microdollars
    FROM organizations
    JOIN subscription_plans plan ON plan.id = organizations.plan_id
    LEFT JOIN api_keys ON api_keys.organization_id = organizations.id AND api_keys.id = %(api_key_id)s
    WHERE organizations.id = app.current_organization()
"""

TAKEN: Final = """
    SELECT COALESCE(sum(messages), 0)::bigint AS messages, COALESCE(sum(tokens), 0)::bigint AS tokens,
        COALESCE(sum(cost_microdollars), 0)::bigint AS cost_microdollars
    FROM (
        SELECT messages, tokens, cost_microdollars FROM budget_periods
        WHERE organization_id = app.current_organization() AND period = %(period)s
          AND subject_id = ANY(%(subjects)s)
        UNION ALL
        SELECT messages, tokens, cost_microdollars FROM budget_reservations
        WHERE organization_id = app.current_organization() AND period = %(period)s AND expires_at > %(now)s
          AND (organization_id = ANY(%(subjects)s) OR api_key_id = ANY(%(subjects)s))
    ) AS spent
"""
"""What subjects have used in the month, and what their answers and other work under way may use."""

KEY_AND_KIN: Final = """
    WITH RECURSIVE kin (id) AS (
        SELECT %(api_key_id)s::uuid
        UNION
        SELECT CASE WHEN api_keys.id = kin.id THEN api_keys.rotated_to ELSE api_keys.id END
        FROM kin
        JOIN api_keys ON kin.id IN (api_keys.id, api_keys.rotated_to)
        WHERE api_keys.organization_id = app.current_organization() AND api_keys.rotated_to IS NOT NULL
    )
    SELECT id FROM kin
"""
"""A key with those that it was rotated from or to: they share one budget."""

RESERVE: Final = """
    WITH gone AS (
        DELETE FROM budget_reservations
        WHERE id IN (
            SELECT id FROM budget_reservations
            WHERE organization_id = app.current_organization() AND expires_at <= %(forgotten)s
            LIMIT 100 FOR UPDATE SKIP LOCKED)
    )
    INSERT INTO budget_reservations
        (id, organization_id, api_key_id, period, messages, tokens, cost_microdollars, created_at, expires_at)
    VALUES (%(id)s, app.current_organization(), %(api_key_id)s, %(period)s, %(messages)s, %(tokens)s,
            %(microdollars)s, %(now)s, %(expires_at)s)
"""

SETTLE: Final = """
    WITH reserved AS (
        DELETE FROM budget_reservations
        WHERE organization_id = app.current_organization() AND id = %(id)s
        RETURNING organization_id, api_key_id, period
    )
    INSERT INTO budget_periods AS spent (organization_id, subject_id, period, messages, tokens, cost_microdollars)
    SELECT reserved.organization_id, subject.id, reserved.period, %(messages)s, %(tokens)s, %(microdollars)s
    FROM reserved
    CROSS JOIN LATERAL (VALUES (1, reserved.organization_id), (2, reserved.api_key_id)) AS subject (place, id)
    WHERE subject.id IS NOT NULL
    -- Whoever counts holds the organization's month first.
    ORDER BY subject.place
    ON CONFLICT (organization_id, subject_id, period) DO UPDATE
    SET messages = spent.messages + EXCLUDED.messages, tokens = spent.tokens + EXCLUDED.tokens,
        cost_microdollars = spent.cost_microdollars + EXCLUDED.cost_microdollars
"""
"""Count what was used in the reservation's place; nothing where it was settled before."""

COUNT: Final = """
    INSERT INTO budget_periods AS spent (organization_id, subject_id, period, tokens, cost_microdollars)
    VALUES (app.current_organization(), app.current_organization(), %(period)s, %(tokens)s, %(microdollars)s)
    ON CONFLICT (organization_id, subject_id, period) DO UPDATE
    SET tokens = spent.tokens + EXCLUDED.tokens,
        cost_microdollars = spent.cost_microdollars + EXCLUDED.cost_microdollars
"""
"""Count what was used without a reservation."""
