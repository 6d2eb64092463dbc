"""The SQL of subscriptions. Row level security already hides other tenants; each query says it again."""

from typing import Final

PAYER: Final = """
    SELECT organizations.name, organizations.stripe_customer_id, organizations.stripe_subscription_id, users.email
    FROM organizations
    JOIN users ON users.id = %(user_id)s
    WHERE organizations.id = app.current_organization()
"""
"""Who pays, and where the bill goes."""

KEEP_CUSTOMER: Final = """
    UPDATE organizations SET stripe_customer_id = COALESCE(stripe_customer_id, %(customer_id)s)
    WHERE id = app.current_organization()
    RETURNING stripe_customer_id
"""

NOTE_EVENT: Final = """
    INSERT INTO stripe_events (id, received_at) VALUES (%(id)s, %(now)s) ON CONFLICT (id) DO NOTHING
"""
"""Take an event; no row where it was taken before. A second delivery at the same time waits for the first."""

SUBSCRIBE: Final = """
    UPDATE organizations
    SET plan_id = plan.id, stripe_subscription_id = %(subscription_id)s, subscription_status = %(status)s,
        current_period_end = %(current_period_end)s, subscription_read_at = %(asked_at)s, updated_at = %(asked_at)s
    FROM subscription_plans plan
    WHERE organizations.id = app.current_organization() AND organizations.stripe_customer_id = %(customer_id)s
      AND plan.name = %(plan)s
      AND COALESCE(organizations.stripe_subscription_id, %(subscription_id)s) = %(subscription_id)s
      AND (organizations.subscription_read_at IS NULL OR organizations.subscription_read_at <= %(asked_at)s)
"""
"""Put the tenant on the plan that it pays for; no row where a later look was faster, where it pays for another
subscription already (two checkouts at once), or where another customer pays."""

PAYS_ALREADY: Final = """
    SELECT stripe_subscription_id AS subscription_id FROM organizations
    WHERE id = app.current_organization() AND stripe_customer_id = %(customer_id)s
      AND stripe_subscription_id <> %(subscription_id)s
"""
"""Which other subscription the same customer pays for; no row where there is none."""

UNSUBSCRIBE: Final = """
    UPDATE organizations
    SET plan_id = plan.id, stripe_subscription_id = NULL, subscription_status = %(status)s,
        current_period_end = NULL, subscription_read_at = %(asked_at)s, updated_at = %(asked_at)s
    FROM subscription_plans plan
    WHERE organizations.id = app.current_organization() AND organizations.stripe_customer_id = %(customer_id)s
      AND organizations.stripe_subscription_id = %(subscription_id)s AND plan.name = %(plan)s
      AND (organizations.subscription_read_at IS NULL OR organizations.subscription_read_at <= %(asked_at)s)
"""
"""Put the tenant back on the plan that costs nothing. The end of another subscription than its own is none."""
