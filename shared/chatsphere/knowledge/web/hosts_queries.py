"""SQL of hosts: when each may be asked again, and what its robots.txt says."""

from typing import Final

KNOW_HOST: Final = """
    INSERT INTO web_hosts (organization_id, origin, next_request_at)
    VALUES (app.current_organization(), %(origin)s, %(now)s)
    ON CONFLICT DO NOTHING
"""
"""Make the row of a host that was never asked."""

HOLD_HOST: Final = """
    SELECT next_request_at FROM web_hosts
    WHERE organization_id = app.current_organization() AND origin = %(origin)s
    FOR UPDATE
"""
"""When a host may be asked next; held, so that of two workers each gets a time of its own."""

TAKE_TURN: Final = """
    UPDATE web_hosts SET next_request_at = %(next_request_at)s
    WHERE organization_id = app.current_organization() AND origin = %(origin)s
"""
"""Take the next time, and say when the one after it is."""

LEAVE_ALONE: Final = """
    UPDATE web_hosts SET next_request_at = GREATEST(next_request_at, %(until)s)
    WHERE organization_id = app.current_organization() AND origin = %(origin)s
"""
"""Ask nothing of a host for as long as it wishes."""

KNOWN_ROBOTS: Final = """
    SELECT robots FROM web_hosts
    WHERE organization_id = app.current_organization() AND origin = %(origin)s AND robots_until > %(now)s
"""
"""A host's robots.txt, where it was read lately."""

FORGET_HOSTS: Final = """
    DELETE FROM web_hosts
    WHERE organization_id = app.current_organization() AND origin IN (
        SELECT origin FROM web_hosts
        WHERE organization_id = app.current_organization()
        ORDER BY next_request_at DESC OFFSET %(kept)s LIMIT 100)
"""
"""Forget the hosts that were not asked for longest."""

KEEP_ROBOTS: Final = """
    INSERT INTO web_hosts (organization_id, origin, next_request_at, robots, robots_until)
    VALUES (app.current_organization(), %(origin)s, %(now)s, %(robots)s, %(until)s)
    ON CONFLICT (organization_id, origin) DO UPDATE
    SET robots = excluded.robots, robots_until = excluded.robots_until
"""
"""Keep a host's robots.txt for a while."""
