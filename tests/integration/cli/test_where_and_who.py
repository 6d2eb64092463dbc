"""Which API is asked, as whom, and what is said when neither is known."""

import json
import stat
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Run
from tests.integration.cli.fake_api import FakeApi
from tests.integration.cli.fake_state import API_KEY


def write_endpoints(home: Path, api: str, bot_id: str | None = None) -> Path:
    home.mkdir(parents=True)
    path = home / "endpoints.json"
    path.write_text(json.dumps({"api": api, "demo": {"email": "demo", "api_key": API_KEY, "bot_id": bot_id}}))
    return path


def log_in(cli: Run, api: FakeApi) -> None:
    api.state.passwords["ada@example.com"] = "engine"
    result = cli("login", "--api", api.url, "--email", "ada@example.com", "--password", "engine", "--json")
    assert result.code == 0, result


def test_no_api_is_a_usage_error_that_says_what_was_tried(cli: Run) -> None:
    result = cli("bots", "list", "--json")

    assert result.code == 2
    assert result.json["error"]["code"] == "no_api"
    for place in ("--api", "CHATSPHERE_API", "credentials.json", "endpoints.json"):
        assert place in result.json["error"]["detail"]


def test_no_credential_is_exit_5(cli: Run, api: FakeApi) -> None:
    result = cli("bots", "list", "--json", "--api", api.url)

    assert (result.code, result.json["error"]["code"]) == (5, "no_credential")
    assert "chatsphere login" in result.json["error"]["hint"]


def test_a_rejected_key_is_exit_5(cli: Run, api: FakeApi) -> None:
    result = cli("bots", "list", "--api", api.url, "--api-key", "wrong")

    assert result.code == 5
    assert result.out == ""
    assert "The token has expired." in result.err


def test_options_may_stand_before_and_after_the_command(cli: Run, api: FakeApi) -> None:
    api.state.add_bot("Ada")

    before = cli("--json", "--api", api.url, "--api-key", API_KEY, "bots", "list")
    after = cli("bots", "list", "--json", "--api", api.url, "--api-key", API_KEY)

    assert before == after
    assert [bot["name"] for bot in before.json["data"]] == ["Ada"]


@pytest.mark.parametrize("api_url", ["localhost:8000", "ftp://x", ""])
def test_an_address_that_is_none_is_a_usage_error(cli: Run, api_url: str) -> None:
    assert cli("status", "--api", api_url).code == 2


def test_the_nearest_one_machine_run_is_found_from_below(
    cli: Run, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a run in the working directory, and a shell two folders deeper
    bot = api.state.add_bot("Demo")
    api.state.add_bot("Other")
    path = write_endpoints(Path.cwd() / ".chatsphere", api.url, bot["id"])
    deeper = Path.cwd() / "a" / "b"
    deeper.mkdir(parents=True)
    monkeypatch.chdir(deeper)

    # When asked for its state
    result = cli("status", "--json")

    # Then it is that run, by its demo key, and the demo's bot is meant although there are two
    assert result.code == 0
    assert result.json["api"] == api.url
    assert result.json["api_from"] == str(path)
    assert "demo key" in result.json["identity_from"]
    assert result.json["bot"]["name"] == "Demo"


def test_a_home_by_environment_goes_before_a_stored_login(
    cli: Run, api: FakeApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log_in(cli, api)
    write_endpoints(tmp_path / "home", "http://127.0.0.1:9")
    monkeypatch.setenv("CHATSPHERE_HOME", str(tmp_path / "home"))

    assert cli("status", "--json").json["error"]["detail"] == "Nothing answers at http://127.0.0.1:9."


def test_a_demo_key_is_not_sent_to_another_api(cli: Run, api: FakeApi) -> None:
    write_endpoints(Path.cwd() / ".chatsphere", "http://127.0.0.1:9")

    assert cli("bots", "list", "--api", api.url).code == 5
    assert api.state.requests == []


def test_damaged_endpoints_are_named(cli: Run) -> None:
    home = Path.cwd() / ".chatsphere"
    home.mkdir()
    (home / "endpoints.json").write_text("{")

    result = cli("status")

    assert result.code == 2
    assert str(home / "endpoints.json") in result.err


def test_a_login_is_stored_for_its_owner_only_and_used_afterwards(cli: Run, api: FakeApi, config: Path) -> None:
    log_in(cli, api)

    assert stat.S_IMODE((config / "credentials.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(config.stat().st_mode) == 0o700
    assert sorted(path.name for path in config.iterdir()) == ["credentials.json", "credentials.json.lock"]
    result = cli("status", "--json")
    assert result.json["api"] == api.url
    assert result.json["identity"]["user"]["email"] == "ada@example.com"


@pytest.mark.parametrize(
    ("options", "exit_code", "error"),
    [(["--code", "123456"], 0, None), (["--code", "1"], 5, "invalid_code"), ([], 2, None)],
)
def test_a_second_factor_is_given_or_asked_for(
    cli: Run, api: FakeApi, config: Path, options: list[str], exit_code: int, error: str | None
) -> None:
    api.state.passwords["ada@example.com"], api.state.codes["ada@example.com"] = "engine", "123456"

    result = cli("login", "--api", api.url, "--email", "ada@example.com", "--password", "engine", *options, "--json")

    assert result.code == exit_code
    assert (config / "credentials.json").exists() is (exit_code == 0)
    if error is not None:
        assert result.json["error"]["code"] == error


def test_a_wrong_password_is_exit_5_and_stores_nothing(cli: Run, api: FakeApi, config: Path) -> None:
    result = cli("login", "--api", api.url, "--email", "ada@example.com", "--password", "no", "--json")

    assert (result.code, result.json["error"]["code"]) == (5, "invalid_login")
    assert not (config / "credentials.json").exists()


def test_register_logs_in_and_a_taken_address_is_exit_1(cli: Run, api: FakeApi) -> None:
    arguments = (
        "login",
        "--register",
        "--api",
        api.url,
        "--email",
        "b@example.com",
        "--password",
        "secret12",
        "--json",
    )

    assert cli(*arguments).code == 0
    again = cli(*arguments)

    assert (again.code, again.json["error"]["code"]) == (1, "email_taken")
    assert api.state.requests[0].body == {
        "email": "b@example.com",
        "password": "secret12",
        "first_name": "",
        "last_name": "",
    }


def test_without_a_terminal_nothing_is_asked(cli: Run, api: FakeApi) -> None:
    result = cli("login", "--api", api.url, "--email", "a@example.com")

    assert result.code == 2
    assert "--password" in result.err


def test_an_expired_token_is_renewed_before_it_is_used(cli: Run, api: FakeApi, config: Path) -> None:
    # Given a login whose token is about to expire
    api.state.expires_in = 1
    log_in(cli, api)
    api.state.expires_in = 600
    before = (config / "credentials.json").read_text()

    # When a command runs, and another one
    assert cli("bots", "list").code == 0
    assert cli("bots", "list").code == 0

    # Then the token was renewed once, and stored
    assert api.state.count("POST", "/v1/auth/refresh") == 1
    assert (config / "credentials.json").read_text() != before


def test_a_token_that_the_server_rejects_is_renewed_once(cli: Run, api: FakeApi) -> None:
    log_in(cli, api)
    api.state.access_tokens.clear()

    assert cli("bots", "list").code == 0
    assert api.state.count("GET", "/v1/bots") == 2
    assert api.state.count("POST", "/v1/auth/refresh") == 1


def test_a_login_that_cannot_be_renewed_is_exit_5(cli: Run, api: FakeApi) -> None:
    log_in(cli, api)
    api.state.access_tokens.clear()
    api.state.refresh_tokens.clear()

    result = cli("bots", "list", "--json")

    assert result.code == 5
    assert "chatsphere login" in result.json["error"]["hint"]


def test_logout_forgets_here_and_at_the_server(cli: Run, api: FakeApi) -> None:
    log_in(cli, api)

    assert cli("logout", "--json").json == {"api": api.url, "logged_out": True}

    assert api.state.refresh_tokens == set()
    assert cli("bots", "list").code == 2
