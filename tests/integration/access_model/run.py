"""One sequence of steps: each is done through the API and in the model, and the two must agree."""

import base64
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from tests.builders.invitations import joined
from tests.builders.running_api import PASSWORD, RunningApi
from tests.integration.access_model.steps import Choices, Step
from tests.integration.access_model.world import Bot, Credential, Organization, Person, World

ROLES: Final = ("admin", "editor", "viewer")
"""With which roles people begin in the organization of the first."""

Action = Callable[["Run", Choices], None]


def session_id(access_token: str) -> str:
    """Return the session that an access token names."""
    claims = access_token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(claims + "=="))["sid"])


class DisagreementError(AssertionError):
    """The API did not do what the model says."""


@dataclass
class Run:
    """The API, the model, and how often each operation was answered with each status."""

    api: RunningApi
    world: World = field(default_factory=World)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)

    @classmethod
    def begin(cls, api: RunningApi) -> "Run":
        """Begin with people who each have an organization, and are all members of the first one's."""
        run = cls(api)
        accounts = [api.register() for _ in range(1 + len(ROLES))]
        for account in accounts:
            person = Person(account.user_id, account.email, PASSWORD)
            run.world.people.append(person)
            run.world.organizations.append(Organization(account.organization_id, {person: "owner"}))
            run.open_session(run.world.organizations[-1], person, account.access_token, account.refresh_token)
        common = run.world.organizations[0]
        for account, person, role in zip(accounts[1:], run.world.people[1:], ROLES, strict=True):
            there = joined(api, accounts[0], role, account)
            common.roles[person] = role
            run.open_session(common, person, there.access_token, there.refresh_token)
        return run

    def do(self, step: Step, actions: dict[str, Action]) -> None:
        # So that nobody's token bucket is ever empty.
        self.api.clock.advance(seconds=1)
        actions[step.action](self, Choices(step))

    def open_session(self, organization: Organization, person: Person, access_token: str, refresh_token: str) -> None:
        self.world.credentials.append(
            Credential(access_token, organization, person, id=session_id(access_token), refresh_token=refresh_token)
        )

    def credential(self, choices: Choices) -> Credential:
        """Choose a credential, mostly one that works, and rather one of an organization with several members."""
        alive = [one for one in self.world.credentials if self.world.alive(one)]
        dead = [one for one in self.world.credentials if not self.world.alive(one)]
        crowd = [one for one in alive if len(one.organization.roles) > 1]
        return choices.mostly(crowd if crowd and choices.number(4) else alive, dead or alive)

    def organization(self, credential: Credential, choices: Choices) -> Organization:
        return choices.mostly([credential.organization], self.world.organizations)

    def bot(self, credential: Credential, choices: Choices) -> Bot | None:
        own = [bot for bot in self.world.bots if bot.organization is credential.organization and not bot.deleted]
        return choices.mostly(own, self.world.bots) if self.world.bots else None

    def ask(
        self,
        credential: Credential,
        operation: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        of: Organization | None = None,
        bot: Bot | None = None,
        then: int | Callable[[], int] = 200,
        query: dict[str, list[str]] | None = None,
    ) -> Any:
        """Send a request and compare the status: the gate's refusal, or else `then`.

        Returns the body where it was answered as asked, else None.
        """
        expected = self.world.refusal(credential, operation, of=of, bot=bot)
        expected = expected or (then if isinstance(then, int) else then())
        answer = self.api.request(method, path, body, token=credential.text, query=query)
        self.answers[operation, answer.status] += 1
        if answer.status != expected:
            who = "key" if credential.is_key else "person"
            raise DisagreementError(
                f"{operation} by a {who}: {method} {path} {body} answered {answer.status} {answer.text};"
                f" the model says {expected}"
            )
        if answer.status >= 300:
            return None
        return answer.json if answer.text else {}

    def ids(self, credential: Credential, operation: str, path: str, key: str = "id", **about: Any) -> set[str] | None:
        """Return the ids that a list holds, None where it was refused."""
        page = self.ask(credential, operation, "GET", path, query={"limit": ["100"]}, **about)
        if page is None:
            return None
        if page["has_more"]:
            raise DisagreementError(f"{operation}: more than 100")
        return {item[key] for item in page["data"]}

    def same(self, operation: str, shown: Any, expected: Any) -> None:
        """Compare what a list holds."""
        if shown is not None and shown != expected:
            raise DisagreementError(f"{operation}: the API shows {shown}; the model says {expected}")
