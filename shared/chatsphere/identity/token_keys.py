"""The keys that sign access tokens: made at the first deployment, rotated in three steps.

A key must be known to all who verify before it signs, and for as long as a token that it signed is valid. So a
rotation adds the new key, promotes it, and removes the old one, with a pause after each step in which every
running function reads the keys anew.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from chatsphere.errors import ConfigurationError, ConflictError
from chatsphere.observability import logger
from chatsphere.ports.system import Clock
from chatsphere.ports.vault import Vault

SPREAD: Final = timedelta(minutes=10)
"""By then every process has read the keys anew: each keeps them for 5 minutes, the rest is to spare."""

_PUBLIC: Final = ("kty", "crv", "x", "y", "kid")

Jwk = dict[str, Any]


def key_set(keys: Sequence[Jwk]) -> str:
    """Return a JWK set as JSON."""
    return json.dumps({"keys": list(keys)})


def public_part(private_set: str) -> str:
    """Return the JWK set that verifies what the private one signs.

    Raises:
        ConfigurationError: the text is no JWK set.
    """
    return key_set([{name: key[name] for name in _PUBLIC} for key in _keys(private_set)])


class RotationError(ConflictError):
    """The step of a rotation is not the next one, or comes too soon."""

    code = "rotation_refused"
    title = "This step of the rotation is not possible now"


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The private set, whose first key signs, and the public one, which follows it.

    `generate` makes a private JWK; a token is valid for `token_lifetime`.
    """

    private: Vault
    public: Vault
    generate: Callable[[], Jwk]
    clock: Clock
    token_lifetime: timedelta

    def ensure(self) -> bool:
        """Make the first key if there is none, and let the public set agree; return whether a key was made.

        A set that is there is never replaced; a run that was cut short is made good by the next.

        Raises:
            ConfigurationError: the private secret holds something else than a JWK set.
            UnavailableError: the secret store does not answer.
        """
        stored = self.private.read()
        is_new = stored is None or _is_blank(stored.value)
        if is_new:
            self._store([self.generate()])
        elif stored is not None:
            self._publish(stored.value)
        return is_new

    def rotate(self, step: str) -> int:
        """Take one step, `add`, `promote` or `remove`; return how many keys there are now.

        Raises:
            RotationError: it is not possible now, or no step.
            UnavailableError: the secret store does not answer; the step may be taken again.
        """
        steps = {"add": self.add, "promote": self.promote, "remove": self.remove}
        if step not in steps:
            raise RotationError(f"A rotation's steps are {', '.join(steps)}.")
        steps[step]()
        logger.info("token keys rotated", step=step)
        return 1 if step == "remove" else 2

    def add(self) -> None:
        """Add a key that signs nothing yet."""
        (current,) = self._due(1)
        self._store([current, self.generate()])

    def promote(self) -> None:
        """Let the added key sign."""
        current, added = self._due(2)
        self._store([added, current])

    def remove(self) -> None:
        """Remove the key that does not sign: the former one, or an added one that is not wanted."""
        current, _other = self._due(2)
        self._store([current])

    def _due(self, count: int) -> list[Jwk]:
        """Return the keys if there are `count`, and the last step is long enough ago.

        Raises:
            RotationError: they are not as many, or it is too early.
        """
        stored = self.private.read()
        keys = [] if stored is None or _is_blank(stored.value) else _keys(stored.value)
        if stored is None or len(keys) != count:
            raise RotationError(f"There are {len(keys)} keys; this step takes {count}.")
        earliest = stored.stored_at + SPREAD + self.token_lifetime
        if self.clock.now() < earliest:
            raise RotationError(f"The last step is too recent: wait until {earliest:%Y-%m-%d %H:%M} UTC.")
        if not self._all_are_published(keys):
            # Two steps, or a step and a deployment, at once: what must not sign yet counts as added now.
            self._store(keys)
            raise RotationError("The public keys lacked one and were published again: wait as after a step.")
        return keys

    def _all_are_published(self, keys: Sequence[Jwk]) -> bool:
        published = self.public.read()
        known = [] if published is None or _is_blank(published.value) else _keys(published.value)
        return {key["kid"] for key in keys} <= {key["kid"] for key in known}

    def _store(self, keys: Sequence[Jwk]) -> None:
        """Publish first: cut short here, the step can be taken again, and nobody signs what nobody can verify."""
        private = key_set(keys)
        self._publish(private)
        self.private.write(private)

    def _publish(self, private: str) -> None:
        wanted = public_part(private)
        published = self.public.read()
        if published is None or published.value != wanted:
            self.public.write(wanted)


def _is_blank(text: str) -> bool:
    """A secret that CloudFormation makes has a value; `{}` says that it is none."""
    return text.strip() in ("", "{}")


def _keys(text: str) -> list[Jwk]:
    try:
        keys = json.loads(text)["keys"]
        if all({*_PUBLIC} <= key.keys() for key in keys):
            return list(keys)
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise ConfigurationError("The secret with the token keys holds no JWK set.")
