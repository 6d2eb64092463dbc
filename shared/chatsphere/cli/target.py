"""Which API a command talks to, and as whom."""

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from chatsphere.cli.credentials import CredentialStore, Login
from chatsphere.cli.endpoints import Endpoints, candidates, find
from chatsphere.cli.environment import Environment
from chatsphere.cli.errors import UsageError

_HOW_TO_NAME_IT = "Start one machine with `make up`, or name a deployment: --api URL, or CHATSPHERE_API."


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is asking: an API key or a stored login. `source` says in words where it comes from."""

    source: str
    api_key: str | None = None
    login: Login | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """An API by its base URL (without `/v1`), who is asking, and the bot to use where none is named."""

    api: str
    source: str
    identity: Identity | None
    default_bot_id: str | None = None


def resolve(environment: Environment, store: CredentialStore, *, api: str | None, api_key: str | None) -> Target:
    """Find the API and the credential: options, then environment, stored login, one-machine run.

    A home named by CHATSPHERE_HOME is as explicit as an address, and so goes before a stored login.

    Raises:
        UsageError: no API is named anywhere, or its address is none.
    """
    machine = _machine(environment, forgiving=bool(api or environment.api))
    url, source = _where(environment, store, api, machine)
    if machine and machine.api != url:
        machine = None
    identity = _who(environment, store, url, api_key, machine)
    demo = identity is not None and machine is not None and identity.api_key == machine.demo_api_key
    return Target(url, source, identity, machine.demo_bot_id if machine and demo else None)


def normalize(url: str) -> str:
    """Return the base URL that names an API, so that one API has one name.

    Raises:
        UsageError: it is no http address.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{url!r} is not the address of an API.", hint="It looks like http://127.0.0.1:8000")
    path = parts.path.rstrip("/").removesuffix("/v1")
    return f"{parts.scheme}://{parts.netloc.lower()}{path}"


def _where(
    environment: Environment, store: CredentialStore, api: str | None, machine: Endpoints | None
) -> tuple[str, str]:
    if api:
        return normalize(api), "--api"
    if environment.api:
        return normalize(environment.api), "CHATSPHERE_API"
    if machine and environment.home:
        return machine.api, str(machine.path)
    if current := store.current():
        return current, f"the login stored in {store.path}"
    if machine:
        return machine.api, str(machine.path)
    raise UsageError(f"No API is named. Tried {_tried(environment, store)}.", hint=_HOW_TO_NAME_IT, code="no_api")


def _tried(environment: Environment, store: CredentialStore) -> str:
    places = candidates(environment.working_directory, environment.home)
    parents = " and its parents" if len(places) > 1 else ""
    return f"--api, CHATSPHERE_API, the logins in {store.path}, {places[0]}{parents}"


def _machine(environment: Environment, *, forgiving: bool) -> Endpoints | None:
    """Return the nearest one-machine run. Where another API is named, a broken file is not in the way."""
    try:
        machine = find(environment.working_directory, environment.home)
        return replace(machine, api=normalize(machine.api)) if machine else None
    except UsageError:
        if forgiving:
            return None
        raise


def _who(
    environment: Environment,
    store: CredentialStore,
    url: str,
    api_key: str | None,
    machine: Endpoints | None,
) -> Identity | None:
    if api_key:
        return Identity("--api-key", api_key=api_key)
    if environment.api_key:
        return Identity("CHATSPHERE_API_KEY", api_key=environment.api_key)
    if login := store.get(url):
        return Identity(f"the login stored in {store.path}", login=login)
    if machine and machine.demo_api_key:
        return Identity(f"the demo key of {machine.path}", api_key=machine.demo_api_key)
    return None
