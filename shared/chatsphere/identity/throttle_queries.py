"""The SQL of throttling, one described constant a query, as the authenticator.

Each counts before the credential is looked at, in one statement: of many tries at once each sees those before it.
"""

TAKE_FROM_BUCKET = """
    INSERT INTO credential_throttles AS bucket (subject, theoretical_arrival_at, updated_at)
    VALUES (%(subject)s, %(now)s + %(interval)s, %(now)s)
    ON CONFLICT (subject) DO UPDATE
    SET theoretical_arrival_at = GREATEST(bucket.theoretical_arrival_at, %(now)s) + %(interval)s, updated_at = %(now)s
    WHERE GREATEST(bucket.theoretical_arrival_at, %(now)s) + %(interval)s <= %(now)s + interval '1 minute'
"""
"""Take a try out of a bucket that fills up within a minute; no row where it is empty, and then nothing is taken."""

BUCKET = "SELECT theoretical_arrival_at FROM credential_throttles WHERE subject = %(subject)s"
"""When the bucket will be full again."""

# From the last free try on, each wait is twice the one before. The exponent stays where a double holds it.
COUNT_TRY = """
    INSERT INTO credential_throttles AS throttle (subject, failures, blocked_until, updated_at)
    VALUES (%(subject)s, 1,
            CASE WHEN %(free_tries)s <= 1 THEN %(now)s + interval '1 second' ELSE %(now)s END, %(now)s)
    ON CONFLICT (subject) DO UPDATE
    SET failures = CASE WHEN throttle.updated_at < %(forgotten)s THEN 1 ELSE throttle.failures + 1 END,
        blocked_until = CASE
            WHEN throttle.updated_at < %(forgotten)s OR throttle.failures + 1 < %(free_tries)s THEN %(now)s
            ELSE %(now)s + LEAST(
                %(longest)s, interval '1 second' * power(2, LEAST(throttle.failures + 1 - %(free_tries)s, 30))) END,
        updated_at = %(now)s
    WHERE throttle.blocked_until <= %(now)s OR throttle.updated_at < %(forgotten)s
"""
"""Count a try as failed until it succeeds; no row where the account must wait, and then nothing is counted."""

BLOCKED_UNTIL = "SELECT blocked_until FROM credential_throttles WHERE subject = %(subject)s"
"""Until when the account must wait."""

FORGET = "DELETE FROM credential_throttles WHERE subject = %(subject)s"
"""Forget an account's failures: a try succeeded."""

FORGET_ALL = """
    DELETE FROM credential_throttles
    WHERE subject >= %(subject)s AND subject <= %(subject)s || decode(repeat('ff', 33), 'hex')
"""
"""Forget an account's failures from wherever: of its networks, each subject begins with its own."""

KNOWN_ADDRESSES = """
    SELECT DISTINCT address FROM (
        SELECT address FROM sessions
        WHERE user_id = (SELECT id FROM users WHERE lower(email) = lower(%(email)s) LIMIT 1)
          AND expires_at > %(now)s AND address IS NOT NULL
        ORDER BY id DESC LIMIT 50) AS latest
"""
"""From where a person was logged in by their last sessions; ended ones count until they would have expired. Bounded:
however often somebody logged in, a try takes no longer.
"""

TOUCH = "UPDATE credential_throttles SET updated_at = %(now)s WHERE subject = %(subject)s"
"""Note the time of the last try once more."""

DELETE_OLD = """
    DELETE FROM credential_throttles WHERE subject IN (
        SELECT subject FROM credential_throttles WHERE updated_at < %(forgotten)s
        ORDER BY updated_at LIMIT 10 FOR UPDATE SKIP LOCKED)
"""
"""Delete some rows that nobody asked for in a day, never so many that one would notice."""
