"""Peoples the world: through the API where it has a route, else as the database's superuser."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from chatsphere.access.permissions import Scope
from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.archive.datasets import DATASETS, DatasetName
from chatsphere.identity.opaque_tokens import new_single_use_token
from chatsphere.ports.uploads import TemporaryCredentials
from chatsphere.transfers.places import import_key
from tests.builders.running_api import PASSWORD, Account, FakeQueue, RunningApi
from tests.conftest import Tenant
from tests.fakes import FixedClock, InMemoryQueue
from tests.fakes_chat import BagOfWordsEmbedder, ScriptedModel, says
from tests.integration.ingestion.pipeline import Pipeline
from tests.integration.matrix.rule import UNLIMITED_SCOPES, Target
from tests.integration.matrix.state import Victim
from tests.integration.matrix.world import MARK, World

ENTERPRISE: Final = UUID("01970000-0000-7000-8000-000000000004")
VISIBILITY: Final[dict[Target, str]] = {"shared": "organization", "private": "private", "public": "public"}
MEMBERS: Final = {
    "admin": "admin",
    "editor": "editor",
    "viewer": "viewer",
    "viewer who may view": "viewer",
    "viewer who may edit": "viewer",
    "viewer who may manage": "viewer",
    "editor who may view": "editor",
    "colleague": "viewer",
    "former member": "editor",
    "person who was switched off": "owner",
}
GRANTS: Final = {
    "viewer who may view": "view",
    "viewer who may edit": "edit",
    "viewer who may manage": "manage",
    "editor who may view": "view",
}
MODEL: Final = "all-minilm-l6-v2-int8"
CALIBRATION: Final = {
    "dense": 9.0,
    "coverage": 2.5,
    "intercept": -5.5,
    "threshold": 0.2,
    "fitted_on": {"sets": [MARK], "examples": 100},
}
QUESTION: Final = f"What does the {MARK} plan cost?"


class LentCredentials:
    """`UploadCredentials` that open nothing."""

    def lend(self, prefix: str, *, session_name: str) -> TemporaryCredentials:
        return TemporaryCredentials("id", "secret", "token", SystemClock().now() + timedelta(hours=1))


def build(world: World) -> None:
    """Make tenants, people, objects and credentials, and save the state that every cell begins with."""
    api = world.api
    api.clock.advance(hours=-1)
    owner = api.register(first_name=MARK, last_name=MARK, email=f"owner-{MARK}@example.com")
    world.credentials["expired token"] = owner.access_token
    api.clock.advance(hours=1)
    owner = _logged_in(api, owner)
    other, both = api.register(), api.register()
    world.people |= {"owner": owner, "other": other, "both": both}
    world.state.execute("UPDATE organizations SET plan_id = %s", (ENTERPRISE,))
    world.state.execute("UPDATE organizations SET name = %s WHERE id = %s", (MARK, owner.organization_id))
    for name, role in MEMBERS.items():
        world.people[name] = _member(world, name, role)
    _join(world, both, "owner")
    _bots(world)
    _credentials(world)
    _objects(world)
    _settle(world)


def _member(world: World, name: str, role: str) -> Account:
    """Make somebody who belongs to the victim alone."""
    email = f"{uuid4().hex}-{MARK}@example.com"
    user_id = str(world.api.container.ids.new())
    world.state.execute(
        "INSERT INTO users (id, email, password_hash, first_name, last_name, is_verified)"
        " VALUES (%s, %s, %s, %s, %s, true)",
        (user_id, email, world.api.container.passwords.hash(PASSWORD), MARK, MARK),
    )
    account = Account(email, "", "", user_id, world.people["owner"].organization_id)
    _join(world, account, role)
    return _logged_in(world.api, account)


def _join(world: World, account: Account, role: str) -> None:
    world.state.execute(
        "INSERT INTO memberships (organization_id, user_id, role) VALUES (%s, %s, %s)",
        (world.people["owner"].organization_id, account.user_id, role),
    )


def _logged_in(api: RunningApi, account: Account) -> Account:
    answer = api.request("POST", "/v1/auth/login", {"email": account.email, "password": PASSWORD})
    assert answer.status == 200, answer.text
    tokens = answer.json
    return Account(
        account.email, tokens["access_token"], tokens["refresh_token"], account.user_id, account.organization_id
    )


def _bots(world: World) -> None:
    """Make the victim's bots, each with a document that is ready, a conversation, and a colleague's grant."""
    api, owner = world.api, world.people["owner"]
    pipeline = _ingestion(world)
    for target, visibility in VISIBILITY.items():
        bot = api.bot(owner, name=f"{MARK} {target}", visibility=visibility)
        bot_id = bot["id"]
        text = {"name": f"{MARK}.txt", "text": f"The {MARK} plan costs 49 EUR."}
        document = _asked(world, "POST", f"/v1/bots/{bot_id}/documents", text)
        world.objects[target] = {"bot_id": bot_id, "model_id": bot["slug"], "document_id": document["document"]["id"]}
        _grant(world, bot_id, "colleague", "view")
    world.given["another_bot"] = api.bot(owner, name=f"{MARK} another")["id"]
    pipeline.run()
    for target in VISIBILITY:
        world.objects[target]["run_id"] = _ended_run(world, world.objects[target]["bot_id"])
    for person, level in GRANTS.items():
        _grant(world, world.objects["private"]["bot_id"], person, level)
    for target in VISIBILITY:
        objects = world.objects[target]
        path, asked = f"/v1/bots/{objects['bot_id']}/chat", {"message": QUESTION, "user": MARK}
        reconciled = _asked(world, "POST", f"/v1/bots/{objects['bot_id']}/reconcile", {})["reconciliation"]
        objects["reconciliation_id"] = reconciled["id"]
        site = {"kind": "crawl", "url": f"https://{MARK}.example.com/"}
        objects["source_id"] = _asked(world, "POST", f"/v1/bots/{objects['bot_id']}/sources", site)["source"]["id"]
        answer = _asked(world, "POST", path, asked)
        objects |= {name: answer[name] for name in ("conversation_id", "message_id")}
        response = {"model": objects["model_id"], "input": QUESTION, "user": MARK}
        objects["response_id"] = _asked(world, "POST", "/v1/responses", response)["id"]
        _asked(world, "PUT", f"/v1/messages/{objects['message_id']}/feedback", {"rating": 2, "text": MARK})
        objects["question_id"] = _unanswered(world, objects["bot_id"])
        objects |= _evaluation(world, "owner", objects["bot_id"])
        objects["export_id"] = _export(world, "owner", objects["bot_id"])
    world.state.execute("UPDATE web_sources SET status = 'synced', lease_expires_at = NULL")


def _evaluation(world: World, person: str, bot_id: str) -> dict[str, str]:
    """Return an evaluation set of the bot, and a case in it."""
    token = world.people[person].access_token
    path = f"/v1/bots/{bot_id}/evaluation-sets"
    made = world.api.request("POST", path, {"name": MARK if person == "owner" else "Own"}, token=token).json
    case = {"question": f"{MARK}?" if person == "owner" else "?", "expect_refusal": True}
    added = world.api.request("POST", f"{path}/{made['id']}/cases", {"cases": [case]}, token=token)
    assert added.status == 201, added.text
    return {"set_id": made["id"], "case_id": added.json["data"][0]["id"]}


def _unanswered(world: World, bot_id: str) -> str:
    """Return the question that the bot's answer, which cites nothing, left without an answer."""
    return str(_asked(world, "GET", f"/v1/bots/{bot_id}/unanswered-questions")["data"][0]["id"])


def _ingestion(world: World) -> Pipeline:
    """Return the stages behind the API, which are given what it sends; nothing leaves the process."""
    container, owner = world.api.container, world.people["owner"]
    replaced: dict[str, Any] = {
        "embedder": BagOfWordsEmbedder(),
        "answer_model": ScriptedModel(says(f"It is {MARK}.")),
        "upload_credentials": LentCredentials(),
        "extract_queue": InMemoryQueue(),
    }
    vars(container).update(replaced)
    pipeline = Pipeline(
        Tenant(UUID(owner.organization_id), UUID(owner.user_id), UUID(int=0)),
        container.database,
        container.reaper_database,
        UuidV7Ids(SystemClock()),
        clock=FixedClock(world.api.clock.now()),
        extract_queue=replaced["extract_queue"],
        vectors=container.vector_store,
        embedder=replaced["embedder"],
    )
    vars(container).update(object_store=pipeline.objects)
    return pipeline


def _ended_run(world: World, bot_id: str) -> str:
    """Return a training run of the bot that was cancelled: another may be started."""
    run_id = str(world.api.container.ids.new())
    world.state.execute(
        "INSERT INTO training_runs (id, organization_id, bot_id, kind, status, revision, dimensions, embedding_model,"
        " former_revision, started_at) VALUES (%s, %s, %s, 'reembed', 'cancelled', 1, 384, %s, 0, %s)",
        (run_id, world.people["owner"].organization_id, bot_id, MARK, world.api.clock.now()),
    )
    return run_id


def _grant(world: World, bot_id: str, person: str, level: str) -> None:
    owner = world.people["owner"]
    world.state.execute(
        "INSERT INTO bot_members (organization_id, bot_id, user_id, permission) VALUES (%s, %s, %s, %s)",
        (owner.organization_id, bot_id, world.people[person].user_id, level),
    )


def _credentials(world: World) -> None:
    """Give each caller of the matrix what it sends."""
    people, found = world.people, world.credentials
    found |= {name: account.access_token for name, account in people.items()}
    found |= {"nobody": None, "text that is no credential": "falcon"}
    found |= {"other tenant's owner": people["other"].access_token}
    found |= {"owner of both, as the other tenant": people["both"].access_token}
    found |= {"other tenant's key": _key(world, people["other"])["key"]}
    found |= {"key": _key(world)["key"], "viewer's key": _key(world, of="viewer")["key"]}
    found |= {"editor's key": _key(world, of="editor")["key"], "key without the scope": found["key"]}
    found |= {"key for another bot": _limited_key(world, world.given["another_bot"])}
    found |= {"key for the shared bot": _limited_key(world, world.objects["shared"]["bot_id"])}
    found |= {"former member's key": _key(world, of="former member")["key"]}
    found |= {"revoked key": _revoked_key(world), "expired key": _expired_key(world)}
    found |= {"revoked session": _revoked_session(world)}
    world.keys_without |= {scope: _key(world, scopes=[s for s in Scope if s != scope])["key"] for scope in Scope}
    world.state.execute("DELETE FROM memberships WHERE user_id = %s", (people["former member"].user_id,))
    switched_off = people["person who was switched off"].user_id
    world.state.execute("UPDATE users SET is_active = false WHERE id = %s", (switched_off,))


def _key(world: World, account: Account | None = None, *, of: str | None = None, **fields: Any) -> dict[str, Any]:
    """Make a key with every scope; `of`: as if this member had made it."""
    made = world.api.api_key(
        account or world.people["owner"], **{"name": "key" if account else MARK, "scopes": list(Scope), **fields}
    )
    if of is not None:
        values = (world.people[of].user_id, made["id"])
        world.state.execute("UPDATE api_keys SET created_by = %s WHERE id = %s", values)
    return made


def _limited_key(world: World, bot_id: str) -> str:
    return str(_key(world, bot_ids=[bot_id], scopes=sorted(set(Scope) - UNLIMITED_SCOPES))["key"])


def _revoked_key(world: World) -> str:
    key = _key(world)
    _asked(world, "DELETE", f"/v1/api-keys/{key['id']}")
    return str(key["key"])


def _expired_key(world: World) -> str:
    key, before = _key(world), world.api.clock.now() - timedelta(seconds=1)
    world.state.execute("UPDATE api_keys SET expires_at = %s WHERE id = %s", (before, key["id"]))
    return str(key["key"])


def _revoked_session(world: World) -> str:
    account = _logged_in(world.api, world.people["owner"])
    answer = world.api.request("POST", "/v1/auth/logout", {"refresh_token": account.refresh_token})
    assert answer.status == 204, answer.text
    return account.access_token


def _objects(world: World) -> None:
    """Collect the path parameters of each target, and what bodies name."""
    api, owner = world.api, world.people["owner"]
    theirs = {
        "organization_id": owner.organization_id,
        "user_id": world.people["colleague"].user_id,
        "api_key_id": _key(world)["id"],
        "session_id": _session_of(world, owner),
        "invitation_id": _invitation(world, owner, f"guest-{MARK}@example.com")[0],
        "deletion_id": _deletion(world),
        **_webhook(world),
        **_archive(world),
        **_retention(world),
        **_erasure(world),
        **_import(world),
        "version": "1",
    }
    world.objects |= {target: theirs | objects for target, objects in world.objects.items()}
    world.objects |= {"theirs": theirs, "none": {"model": MODEL}}
    _asked(world, "PUT", f"/v1/embedding-models/{MODEL}/calibration", CALIBRATION)
    for name, caller in (("other", "other tenant's owner"), ("both", "owner of both, as the other tenant")):
        account = world.people[name]
        bot_id = api.bot(account, visibility="public")["id"]
        key_id = api.api_key(account)["id"]
        world.own[caller] = {"organization_id": account.organization_id, "bot_id": bot_id, "api_key_id": key_id}
    world.given["invitation"] = _invitation(world, world.people["both"], "guest@example.com")[1]
    world.own["other tenant's key"] = world.own["other tenant's owner"]
    below = _evaluation(world, "other", world.own["other tenant's owner"]["bot_id"])
    below |= _webhook(world, "other") | _archive(world, "other") | _retention(world, "other")
    world.given["below"] = below | _erasure(world, "other")
    own_bot = world.own["other tenant's owner"]["bot_id"]
    world.given["below"] |= _import(world, "other") | {"export_id": _export(world, "other", own_bot)}


def _export(world: World, person: str, bot_id: str) -> str:
    """Return an export of the bot that has failed."""
    token, mark = world.people[person].access_token, MARK if person == "owner" else ""
    made = world.api.request("POST", f"/v1/bots/{bot_id}/exports", {}, token=token)
    assert made.status == 202, made.text
    values = (mark, made.json["id"])
    world.state.execute("UPDATE bot_exports SET status = 'failed', error_message = %s WHERE id = %s", values)
    return str(made.json["id"])


def _import(world: World, person: str = "owner") -> dict[str, str]:
    """Return an import whose file was uploaded."""
    account, name = world.people[person], MARK if person == "owner" else "Own"
    made = world.api.request("POST", "/v1/bot-imports", {"name": name}, token=account.access_token)
    assert made.status == 201, made.text
    import_id = str(made.json["bot_import"]["id"])
    key = import_key(UUID(account.organization_id), UUID(import_id))
    world.api.archive_store.put(key, b"", content_type="application/zip", metadata={})
    return {"import_id": import_id}


def _deletion(world: World) -> str:
    """Return the deletion of a document that the private bot had, by the owner."""
    owner, now, ids = world.people["owner"], world.api.clock.now(), world.api.container.ids
    values = (str(ids.new()), owner.organization_id, world.objects["private"]["bot_id"], ids.new(), owner.user_id, now)
    world.state.execute(
        "INSERT INTO deletions (id, organization_id, bot_id, document_id, requested_by, requested_at, reason, status)"
        " VALUES (%s, %s, %s, %s, %s, %s, 'api', 'done')",
        values,
    )
    return values[0]


def _archive(world: World, person: str = "owner") -> dict[str, str]:
    """Return a file of the archive with one message, and a restore that nobody is at."""
    account, ids = world.people[person], world.api.container.ids
    bot_id = world.objects["shared"]["bot_id"] if person == "owner" else world.own["other tenant's owner"]["bot_id"]
    empty: dict[str, Any] = dict.fromkeys(column.name for column in DATASETS[DatasetName.MESSAGES].columns)
    message = {"id": str(ids.new()), "conversation_id": str(ids.new()), "created_at": world.api.clock.now()}
    (file,) = world.api.container.archiver.copy(
        [empty | message | {"content": MARK if person == "owner" else ""}],
        organization_id=UUID(account.organization_id),
        bot_id=UUID(bot_id),
        dataset=DatasetName.MESSAGES,
        source="matrix",
    )
    wanted = {"file_ids": [str(file.id)]}
    made = world.api.request("POST", "/v1/archive/restores", wanted, token=account.access_token)
    assert made.status == 202, made.text
    return {"file_id": str(file.id), "restore_id": made.json["restore"]["id"]}


def _retention(world: World, person: str = "owner") -> dict[str, str]:
    """Return a dry run that has ended, and a hold that was released; the victim's bots have policies of their own."""
    account, ids, now = world.people[person], world.api.container.ids, world.api.clock.now()
    run_id, hold_id = str(ids.new()), str(ids.new())
    world.state.execute(
        "INSERT INTO retention_runs (id, organization_id, dry_run, requested_by, status, as_of, step, started_at)"
        " VALUES (%s, %s, true, %s, 'done', %s, 'done', %s)",
        (run_id, account.organization_id, account.user_id, now, now),
    )
    world.state.execute(
        "INSERT INTO legal_holds (id, organization_id, subject, reason, made_at, released_at)"
        " VALUES (%s, %s, 'organization', %s, %s, %s)",
        (hold_id, account.organization_id, MARK if person == "owner" else "", now, now),
    )
    for target in VISIBILITY if person == "owner" else ():
        policy = f"/v1/bots/{world.objects[target]['bot_id']}/retention-policy"
        _asked(world, "PUT", policy, {"error_log_days": 7})
    return {"retention_run_id": run_id, "hold_id": hold_id}


def _erasure(world: World, person: str = "owner") -> dict[str, str]:
    """Return an erasure of an end user that is done."""
    account, now, erasure_id = world.people[person], world.api.clock.now(), str(world.api.container.ids.new())
    mark = MARK if person == "owner" else ""
    receipt = {"removed": {}, "anonymized": {}, "left": {}, "checked_at": now.isoformat(), "logs": mark}
    world.state.execute(
        "INSERT INTO erasures (id, kind, organizations, requested_by, requested_at, receipt_hash, status,"
        " lease_expires_at, finished_at, receipt, tenant_id, subject_salt, subject_hash)"
        " VALUES (%s, 'end_user', '{}', %s, %s, %s, 'done', %s, %s, %s, %s, 'salt', 'hash')",
        (
            erasure_id, account.user_id, now, erasure_id.encode(), now, now, Jsonb(receipt), account.organization_id,
        ),
    )  # fmt: skip
    return {"erasure_id": erasure_id}


def _webhook(world: World, person: str = "owner") -> dict[str, str]:
    """Return a webhook and a delivery to it. It asked for nothing that the matrix's cells do."""
    token = world.people[person].access_token
    wanted = {"url": "https://93.184.216.34/hook", "event_types": ["webhook.test"]}
    described = wanted | {"description": MARK if person == "owner" else ""}
    made = world.api.request("POST", "/v1/webhooks", described, token=token)
    assert made.status == 201, made.text
    path = f"/v1/webhooks/{made.json['id']}"
    return {
        "webhook_id": made.json["id"],
        "delivery_id": world.api.request("POST", f"{path}/test", token=token).json["id"],
    }


def _session_of(world: World, account: Account) -> str:
    _logged_in(world.api, account)
    rows = world.state.execute("SELECT max(id::text) FROM sessions WHERE user_id = %s", (account.user_id,))
    return str(rows[0][0])


def _invitation(world: World, inviter: Account, email: str) -> tuple[str, str]:
    """Make an open invitation to the inviter's organization; return its id and the token that was mailed."""
    invitation_id, now = world.api.container.ids.new(), world.api.clock.now()
    token = new_single_use_token(invitation_id)
    world.state.execute(
        "INSERT INTO invitations (id, organization_id, email, role, secret_hash, invited_by, created_at, expires_at)"
        " VALUES (%s, %s, %s, 'viewer', %s, %s, %s, %s)",
        (invitation_id, inviter.organization_id, email, token.hash, inviter.user_id, now, now + timedelta(days=7)),
    )
    return str(invitation_id), token.text


def _settle(world: World) -> None:
    """Begin with empty queues and with every credential used: the clock stands still, so no use is noted again."""
    api, state = world.api, world.state
    api.extract_queue, api.purge_queue, api.mail_queue = FakeQueue(), FakeQueue(), FakeQueue()
    vars(api.container).update(extract_queue=api.extract_queue, purge_queue=api.purge_queue, mail_queue=api.mail_queue)
    state.execute("UPDATE users SET is_verified = false")
    state.execute("UPDATE api_keys SET last_used_at = %s", (api.clock.now(),))
    state.execute("UPDATE sessions SET last_used_at = %s", (api.clock.now(),))
    people = [UUID(person.user_id) for name, person in world.people.items() if name not in ("other", "both")]
    world.victim = Victim(UUID(world.people["owner"].organization_id), people)
    plans = {str(row[0]) for row in state.execute("SELECT id FROM subscription_plans")}
    strangers = {world.people[name].user_id for name in ("other", "both")}
    world.secrets = frozenset(state.identifiers(world.victim) - plans - strangers)
    world.save()


def _asked(world: World, method: str, path: str, body: Any = None) -> Any:
    """Ask as the victim's owner."""
    answer = world.api.request(method, path, body, token=world.people["owner"].access_token)
    assert answer.status < 300, answer.text
    return answer.json if answer.text else None
