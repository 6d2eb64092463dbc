"""Bots that were there before: each has its first version, its maker manages it, and public ones are found."""

from uuid import UUID

import psycopg

from chatsphere.access.permissions import Role
from chatsphere.access.principal import Principal
from chatsphere.db.migrate import LOGIN_ROLES, migrate, with_passwords
from tests.builders.running_api import RunningApi, running_api
from tests.postgres import PASSWORD, fresh_database

ORGANIZATION, MAKER, OTHER = (UUID(f"00000000-0000-7000-8000-00000000000{digit}") for digit in "abc")
PRIVATE, PUBLIC, OFF, ARCHIVED, ORPHAN = (UUID(f"00000000-0000-7000-8000-0000000000d{digit}") for digit in "12345")

POPULATE = f"""
INSERT INTO organizations (id, name, plan_id) VALUES ('{ORGANIZATION}', 'Old', '01970000-0000-7000-8000-000000000001');
INSERT INTO users (id, email, password_hash) VALUES ('{MAKER}', 'a@example.com', 'x'), ('{OTHER}', 'b@x.com', 'x');
INSERT INTO memberships (organization_id, user_id, role) VALUES
    ('{ORGANIZATION}', '{MAKER}', 'editor'), ('{ORGANIZATION}', '{OTHER}', 'editor');
INSERT INTO bots (id, organization_id, name, temperature, visibility, is_active, status, configuration, created_by)
VALUES
    ('{PRIVATE}', '{ORGANIZATION}', 'Private', 0.7, 'private', true, 'draft', '{{"top_k": 3}}', '{MAKER}'),
    ('{PUBLIC}', '{ORGANIZATION}', 'Public', 0.2, 'public', true, 'draft', '{{}}', '{MAKER}'),
    ('{OFF}', '{ORGANIZATION}', 'Off', 0.2, 'public', false, 'draft', '{{}}', '{MAKER}'),
    ('{ARCHIVED}', '{ORGANIZATION}', 'public!', 0.2, 'public', true, 'archived', '{{}}', '{MAKER}'),
    ('{ORPHAN}', '{ORGANIZATION}', 'Orphan', 0.2, 'private', true, 'draft', '{{}}', gen_random_uuid());
"""


def test_bots_of_the_release_before_are_as_if_made_by_this_one(database_server: str) -> None:
    with fresh_database(database_server, revision="0003") as urls:
        with psycopg.connect(urls.admin) as connection:
            connection.execute(POPULATE)
        migrate(urls.admin, with_passwords(dict.fromkeys(LOGIN_ROLES, PASSWORD)))
        with running_api(urls) as api:
            maker, other = (Principal(ORGANIZATION, user, Role.EDITOR) for user in (MAKER, OTHER))

            assert levels(api, maker) == dict.fromkeys((PRIVATE, PUBLIC, OFF, ARCHIVED), "manage")
            assert levels(api, other) == dict.fromkeys((PUBLIC, OFF, ARCHIVED), "edit")
            found = {
                bot: api.request("GET", f"/v1/public/bots/{bot}").status for bot in (PRIVATE, PUBLIC, OFF, ARCHIVED)
            }
            assert found == {PRIVATE: 404, PUBLIC: 200, OFF: 404, ARCHIVED: 404}
            changed = api.request("PATCH", f"/v1/bots/{PRIVATE}", {"configuration": {"top_k": 4}}, caller=maker).json
            assert changed["version"] == 2
            listed = api.request("GET", "/v1/bots", caller=maker).json["data"]
            assert {bot["slug"] for bot in listed} == {"private", "public", "off", f"public-{ARCHIVED.hex[-12:]}"}
            diff = api.request("GET", f"/v1/bots/{PRIVATE}/versions/2/diff", caller=maker).json
            assert diff["changes"] == [{"field": "configuration.top_k", "change": "changed", "before": 3, "after": 4}]


def levels(api: RunningApi, caller: Principal) -> dict[UUID, str]:
    listed = api.request("GET", "/v1/bots", caller=caller).json["data"]
    return {UUID(bot["id"]): bot["permission"] for bot in listed}
