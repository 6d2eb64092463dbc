"""The demo account: made on the first start through the product's own API, then kept."""

import json
import secrets
from collections.abc import Mapping

import httpx

from chatsphere.access.permissions import ALL_SCOPES, Scope
from infra.local.errors import LocalRunError
from infra.local.files import write_json
from infra.local.home import Home

EMAIL = "demo@example.com"
PLAN = "Enterprise"
SCOPES = sorted(ALL_SCOPES - {Scope.API_KEYS, Scope.ORGANIZATION_WRITE, Scope.AUDIT_READ})
"""Of the demo's key: all that the command line can do but managing people and keys."""


async def demo_account(home: Home, api: str) -> dict[str, str]:
    """Return the demo account {email, password, api_key, bot_id, organization_id}, making what is missing of it.

    Its organization is put on the largest plan, once: whoever changes it later is not overruled.

    Raises:
        LocalRunError: the API refused; the message holds its answer.
    """
    account: dict[str, str] = json.loads(home.demo.read_bytes()) if home.demo.exists() else {}
    if account.keys() >= {"email", "password", "api_key", "bot_id", "plan"}:
        return account
    if "password" not in account:
        # Kept before it is used: were the run killed in between, the account could not be entered.
        account = {"email": EMAIL, "password": secrets.token_urlsafe(18)}
        write_json(home.demo, account)
    async with httpx.AsyncClient(base_url=api, trust_env=False, timeout=30) as http:
        if "api_key" not in account:
            account |= await _make(http, account)
            write_json(home.demo, account)
        account["plan"] = await _choose_plan(http, account)
    write_json(home.demo, account)
    return account


async def _make(http: httpx.AsyncClient, account: dict[str, str]) -> dict[str, str]:
    bearer = {"Authorization": f"Bearer {await _enter(http, account)}"}
    key = await _post(http, "/v1/api-keys", {"name": "Demo", "scopes": SCOPES}, bearer)
    bot = await _post(http, "/v1/bots", {"name": "Demo"}, bearer)
    return {"api_key": str(key["key"]), "bot_id": str(bot["id"]), "organization_id": str(bot["organization_id"])}


async def _choose_plan(http: httpx.AsyncClient, account: dict[str, str]) -> str:
    """Return the plan that was chosen; "" where that is refused: the password was changed, or plans are paid for."""
    credentials = {"email": account["email"], "password": account["password"]}
    entered = await http.post("/v1/auth/login", json=credentials)
    if entered.is_client_error or "access_token" not in _checked(entered):
        return ""
    bearer = {"Authorization": f"Bearer {entered.json()['access_token']}"}
    path = f"/v1/organizations/{account['organization_id']}/plan"
    answer = await http.put(path, json={"plan": PLAN}, headers=bearer)
    if answer.is_client_error:
        return ""
    _checked(answer)
    return PLAN


async def _enter(http: httpx.AsyncClient, account: dict[str, str]) -> str:
    """Register, or log in if an earlier run was killed after it had registered."""
    credentials = {"email": account["email"], "password": account["password"]}
    names = {"first_name": "Demo", "last_name": "User"}
    answer = await http.post("/v1/auth/register", json=credentials | names)
    if answer.status_code == httpx.codes.CONFLICT:
        return str((await _post(http, "/v1/auth/login", credentials))["access_token"])
    return str(_checked(answer)["access_token"])


async def _post(
    http: httpx.AsyncClient, path: str, body: Mapping[str, object], headers: dict[str, str] | None = None
) -> dict[str, object]:
    return _checked(await http.post(path, json=body, headers=headers))


def _checked(answer: httpx.Response) -> dict[str, object]:
    if answer.is_error:
        raise LocalRunError(f"the demo account could not be made: {answer.request.url.path}: {answer.text}")
    content: dict[str, object] = answer.json()
    return content
