"""What is done with API keys, and who reads the audit log."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.integration.access_model.rules import RANK, SCOPES
from tests.integration.access_model.run import Run
from tests.integration.access_model.steps import Choices
from tests.integration.access_model.world import Bot, Credential

NEVER_BY_DEFAULT = {"api_keys", "organization:write", "audit:read"}
"""What a key is given only if its maker says so, and never where it is limited to bots."""

OVERLAP = timedelta(days=7)
Use = Callable[[Run, Choices, Credential, Credential], None]


def make_key(run: Run, choices: Choices) -> None:
    credential = run.credential(choices)
    scopes, bots = _scopes(choices), _bots(run, credential, choices)
    body: dict[str, Any] = {"name": "key"}
    if scopes is not None:
        body["scopes"] = sorted(scopes)
    if bots is not None:
        body["bot_ids"] = [bot.id for bot in bots]
    usual = _own(credential) - NEVER_BY_DEFAULT - ({"organization:read"} if bots else set())
    granted = usual if scopes is None else scopes
    made = run.ask(
        credential, "make key", "POST", "/v1/api-keys", body, then=lambda: _may_be(run, credential, granted, bots, 201)
    )
    if made is not None:
        _add(run, credential, made, granted, bots)


def list_keys(run: Run, choices: Choices) -> None:
    credential = run.credential(choices)
    shown = run.ids(credential, "list keys", "/v1/api-keys")
    if shown is not None:
        run.same("list keys", shown, {key.id for key in run.world.keys(credential)})


def on_a_key(use: Use) -> Callable[[Run, Choices], None]:
    """Return the action that chooses who uses which key; where there is none yet, they are listed."""

    def action(run: Run, choices: Choices) -> None:
        credential = run.credential(choices)
        keys = [one for one in run.world.credentials if one.is_key]
        if keys:
            mine = run.world.keys(credential) if run.world.alive(credential) else []
            use(run, choices, credential, choices.mostly(mine, keys))
        else:
            list_keys(run, choices)

    return action


def read_key(run: Run, _choices: Choices, credential: Credential, key: Credential) -> None:
    def status() -> int:
        return 200 if key in run.world.keys(credential) else 404

    shown = run.ask(credential, "read key", "GET", f"/v1/api-keys/{key.id}", then=status)
    if shown is not None and key.scopes is not None:
        run.same("read key", (shown["id"], shown["scopes"]), (key.id, sorted(key.scopes)))


def revoke_key(run: Run, _choices: Choices, credential: Credential, key: Credential) -> None:
    def status() -> int:
        return 204 if key in run.world.keys(credential) else 404

    if run.ask(credential, "revoke key", "DELETE", f"/v1/api-keys/{key.id}", then=status) is not None:
        key.ended = True


def change_key(run: Run, choices: Choices, credential: Credential, key: Credential) -> None:
    scopes = _scopes(choices) or frozenset({"chat"})

    def status() -> int:
        if key not in run.world.keys(credential):
            return 404
        if RANK[run.world.role(key)] > RANK[run.world.role(credential)]:
            return 403
        return 409 if key.rotated else _may_be(run, credential, scopes, key.bots, 200, present=key.scopes)

    body = {"scopes": sorted(scopes)}
    if run.ask(credential, "change key", "PATCH", f"/v1/api-keys/{key.id}", body, then=status) is not None:
        key.scopes = scopes


def rotate_key(run: Run, _choices: Choices, credential: Credential, key: Credential) -> None:
    def status() -> int:
        if key not in run.world.keys(credential):
            return 404
        if key.person is not credential.person or not (key.scopes or frozenset()) <= _own(credential):
            return 403
        own = credential.expires
        if own is not None and (key.expires is None or key.expires > own):
            return 403
        return 409 if key.rotated else 201

    body, path = {"overlap_seconds": int(OVERLAP.total_seconds())}, f"/v1/api-keys/{key.id}/rotate"
    made = run.ask(credential, "rotate key", "POST", path, body, then=status)
    if made is not None and key.scopes is not None:
        successor = _add(run, credential, made, key.scopes, key.bots)
        successor.expires = key.expires
        ends = run.api.clock.now() + OVERLAP
        key.rotated, key.expires = True, ends if key.expires is None else min(key.expires, ends)


def read_audit_log(run: Run, choices: Choices) -> None:
    credential = run.credential(choices)
    run.ask(credential, "read audit log", "GET", "/v1/audit-log")


def _may_be(
    run: Run,
    credential: Credential,
    scopes: frozenset[str],
    bots: frozenset[Bot] | None,
    done: int,
    *,
    present: frozenset[str] | None = None,
) -> int:
    """Return the status of giving a key these scopes and bots."""
    if not scopes <= _own(credential) | (present or frozenset()):
        return 403
    if bots is not None and scopes & NEVER_BY_DEFAULT:
        return 422
    seen = run.world.visible_bots(credential)
    return done if all(bot.id in seen for bot in bots or ()) else 422


def _add(
    run: Run, credential: Credential, made: Any, scopes: frozenset[str], bots: frozenset[Bot] | None
) -> Credential:
    run.same("make key", made["scopes"], sorted(scopes))
    key = Credential(made["key"], credential.organization, credential.person, id=made["id"], scopes=scopes, bots=bots)
    key.expires = credential.expires
    run.world.credentials.append(key)
    return key


def _own(credential: Credential) -> frozenset[str]:
    return credential.scopes if credential.scopes is not None else frozenset(SCOPES)


def _scopes(choices: Choices) -> frozenset[str] | None:
    """Choose some scopes by name; in a quarter of all cases none are named."""
    if choices.number(4) == 0:
        return None
    bits = choices.number(1 << len(SCOPES))
    return frozenset(scope for place, scope in enumerate(SCOPES) if bits >> place & 1) or None


def _bots(run: Run, credential: Credential, choices: Choices) -> frozenset[Bot] | None:
    bot = run.bot(credential, choices)
    return None if bot is None or choices.number(3) else frozenset({bot})


ACTIONS = {
    "make key": make_key,
    "list keys": list_keys,
    "read key": on_a_key(read_key),
    "change key": on_a_key(change_key),
    "rotate key": on_a_key(rotate_key),
    "revoke key": on_a_key(revoke_key),
    "read audit log": read_audit_log,
}
