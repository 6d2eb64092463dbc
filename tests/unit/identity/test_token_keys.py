"""Making and rotating the keys of access tokens."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from chatsphere.adapters.jwt_tokens import JwtTokenSigner, JwtTokenVerifier, generate_key
from chatsphere.errors import ConfigurationError, UnavailableError
from chatsphere.identity.token_keys import SPREAD, KeyRing, RotationError, key_set, public_part
from chatsphere.ports.vault import StoredSecret
from chatsphere.settings import TokenSettings, TokenVerificationSettings

LIFETIME = timedelta(minutes=10)
PAUSE = SPREAD + LIFETIME
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Clock:
    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment


@dataclass
class FakeVault:
    """`Vault` in memory; while `broken` it takes nothing."""

    clock: Clock
    stored: StoredSecret | None = None
    broken: bool = False

    def read(self) -> StoredSecret | None:
        return self.stored

    def write(self, value: str) -> None:
        if self.broken:
            raise UnavailableError
        self.stored = StoredSecret(value, self.clock.now())

    @property
    def kids(self) -> list[str]:
        return [key["kid"] for key in json.loads(self.stored.value)["keys"]] if self.stored else []


@dataclass
class Subject:
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.private, self.public = FakeVault(self.clock), FakeVault(self.clock)
        self.ring = KeyRing(self.private, self.public, generate_key, self.clock, LIFETIME)

    def wait(self) -> None:
        self.clock.moment += PAUSE

    def sign(self) -> str:
        assert self.private.stored is not None
        return JwtTokenSigner(TokenSettings(token_keys=self.private.stored.value)).sign({}, now=NOW)

    def verifier(self) -> JwtTokenVerifier:
        """Verifies with the keys that are public now."""
        assert self.public.stored is not None
        return JwtTokenVerifier(TokenVerificationSettings(token_public_keys=self.public.stored.value))


@pytest.fixture
def subject() -> Subject:
    return Subject()


@pytest.mark.parametrize("value", [None, "{}", ""])
def test_the_first_key_is_made_and_published(subject: Subject, value: str | None) -> None:
    if value is not None:
        subject.private.write(value)
    assert subject.ring.ensure()
    subject.verifier().verify(subject.sign(), now=NOW)
    assert subject.public.stored is not None
    assert '"d"' not in subject.public.stored.value


def test_keys_that_are_there_are_never_replaced(subject: Subject) -> None:
    subject.ring.ensure()
    before = subject.private.stored
    assert not subject.ring.ensure()
    assert subject.private.stored == before


def test_what_is_no_key_set_is_not_overwritten(subject: Subject) -> None:
    subject.private.write('{"keys": "damaged"}')
    with pytest.raises(ConfigurationError) as refused:
        subject.ring.ensure()
    assert "damaged" not in str(refused.value)
    assert subject.private.stored == StoredSecret('{"keys": "damaged"}', NOW)


def test_a_lost_public_set_is_published_again(subject: Subject) -> None:
    subject.ring.ensure()
    subject.public.write("{}")
    subject.ring.ensure()
    subject.verifier().verify(subject.sign(), now=NOW)


def test_at_every_step_of_a_rotation_those_who_lag_one_step_behind_agree(subject: Subject) -> None:
    subject.ring.ensure()
    (first,) = subject.private.kids
    for step in (subject.ring.add, subject.ring.promote, subject.ring.remove):
        token_before, verifier_before = subject.sign(), subject.verifier()
        subject.wait()
        step()
        # Who signs with the old keys is understood by who has the new ones, and the other way round.
        if step != subject.ring.remove:
            subject.verifier().verify(token_before, now=NOW)
        verifier_before.verify(subject.sign(), now=NOW)
    assert subject.private.kids == subject.public.kids != [first]
    assert len(subject.private.kids) == 1


def test_a_step_that_comes_too_soon_is_refused(subject: Subject) -> None:
    subject.ring.ensure()
    with pytest.raises(RotationError, match="00:20 UTC"):
        subject.ring.add()
    subject.wait()
    subject.ring.add()
    subject.clock.moment += PAUSE - timedelta(seconds=1)
    with pytest.raises(RotationError):
        subject.ring.promote()
    assert len(subject.private.kids) == 2


def test_a_step_out_of_order_is_refused(subject: Subject) -> None:
    with pytest.raises(RotationError):
        subject.ring.add()
    subject.ring.ensure()
    subject.wait()
    for step in (subject.ring.promote, subject.ring.remove):
        with pytest.raises(RotationError):
            step()


@pytest.mark.parametrize("broken", ["private", "public"])
def test_a_step_that_was_cut_short_can_be_taken_again(subject: Subject, broken: str) -> None:
    # Given
    subject.ring.ensure()
    subject.wait()
    vault: FakeVault = getattr(subject, broken)
    vault.broken = True
    with pytest.raises(UnavailableError):
        subject.ring.add()
    subject.verifier().verify(subject.sign(), now=NOW)
    # When
    vault.broken = False
    subject.ring.add()
    # Then
    assert subject.public.kids == subject.private.kids
    assert len(subject.public.kids) == 2


def test_the_public_part_holds_only_public_members() -> None:
    assert [sorted(key) for key in json.loads(public_part(key_set([generate_key()])))["keys"]] == [
        ["crv", "kid", "kty", "x", "y"]
    ]


def test_a_key_that_was_lost_from_the_public_set_does_not_sign(subject: Subject) -> None:
    # Given: a deployment, or a second step at the same time, published what it had read before.
    subject.ring.ensure()
    before = subject.public.read()
    subject.wait()
    subject.ring.add()
    subject.public.stored = before
    subject.wait()
    # When
    with pytest.raises(RotationError, match="published again"):
        subject.ring.promote()
    # Then
    verifier = subject.verifier()
    with pytest.raises(RotationError):
        subject.ring.promote()
    subject.wait()
    subject.ring.promote()
    verifier.verify(subject.sign(), now=NOW)
