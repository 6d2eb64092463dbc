"""What is written into log files tells of nobody, so there is nothing to erase in them."""

from pathlib import Path

import psycopg
import pytest

from tests.integration.cloud_runtime.logbook import kept_log
from tests.integration.privacy.world import World
from tests.postgres import DatabaseUrls
from tests.waiting import wait_for

NAME, ADDRESS, AGENT = "Zephyrine", "zephyrine.quux@example.com", "tests"


def test_an_erasure_leaves_no_personal_data_in_the_functions_logs(world: World) -> None:
    with kept_log() as log:
        person = world.api.register(email=ADDRESS, first_name=NAME)
        world.fill(person)
        world.api.request("GET", "/v1/me/export", token=person.access_token)
        world.delete_me(person, password="not the right one")
        answer = world.delete_me(person)
        assert world.purge() == []
        world.receipt(answer)
    assert any(line["message"] == "erasure done" for line in log.lines)
    assert [word for word in (NAME, ADDRESS, world.api.address) if word.lower() in log.text.lower()] == []


def test_the_database_servers_log_tells_no_values(database_urls: DatabaseUrls) -> None:
    # Given
    marker = "to be found in the log"
    with psycopg.connect(database_urls.admin, autocommit=True) as admin:
        folder = admin.execute("SHOW data_directory").fetchone()
        assert folder is not None
        insert = "INSERT INTO users (id, email, password_hash) VALUES (gen_random_uuid(), %s, 'x')"
        admin.execute(insert, (f"twice-{ADDRESS}",))
        # When
        with pytest.raises(psycopg.errors.UniqueViolation):
            admin.execute(f"{insert} /* {marker} */", (f"twice-{ADDRESS}",))
        admin.execute("DELETE FROM users WHERE email = %s", (f"twice-{ADDRESS}",))
    # Then
    log = Path(folder[0]).parent / "postgres.log"
    wait_for(lambda: marker in log.read_text(), what="the error in the log")
    text = log.read_text()
    assert "users_email_unique" in text
    assert ADDRESS not in text
