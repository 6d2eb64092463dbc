"""What the tests of organizations do and look at."""

from typing import Any

from tests.builders.running_api import Account, Answer, RunningApi


def act(api: RunningApi, account: Account, method: str, path: str = "", body: Any = None, **named: Any) -> Answer:
    """Send a request about the account's organization."""
    path = f"/v1/organizations/{account.organization_id}{path}"
    return api.request(method, path, body, token=account.access_token, **named)


def roles(api: RunningApi, account: Account) -> dict[str, str]:
    """Return the roles of the members by their ids, as a member sees them."""
    answer = act(api, account, "GET", "/members", query={"limit": ["100"]})
    assert answer.status == 200, answer.text
    return {member["user_id"]: member["role"] for member in answer.json["data"]}


def problem(answer: Answer) -> tuple[int, str]:
    """Return status and code."""
    return answer.status, answer.code
