import pytest

from chatsphere.adapters.argon2_passwords import Argon2PasswordHasher
from chatsphere.settings import PasswordSettings


def hasher(memory: int = 8, passes: int = 1) -> Argon2PasswordHasher:
    return Argon2PasswordHasher(PasswordSettings(argon2_memory_kib=memory, argon2_passes=passes))


def test_a_password_fits_its_own_hash_only() -> None:
    encoded = hasher().hash("correct horse")

    assert encoded.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert hasher().verify(encoded, "correct horse")
    assert not hasher().verify(encoded, "wrong horse")


def test_the_same_password_has_another_hash_each_time() -> None:
    assert hasher().hash("correct horse") != hasher().hash("correct horse")


@pytest.mark.parametrize("password", ["", "correct horse"])
def test_nobody_has_a_password(password: str) -> None:
    assert not hasher().verify(None, password)


@pytest.mark.parametrize("encoded", ["", "x", "$argon2id$v=19$m=8,t=1,p=1$", "$2b$12$abc"])
def test_a_broken_hash_fits_nothing(encoded: str) -> None:
    assert not hasher().verify(encoded, "")


def test_a_hash_of_other_parameters_is_to_be_made_anew_and_still_fits() -> None:
    old = hasher(memory=8).hash("correct horse")

    assert hasher(memory=16).needs_rehash(old)
    assert not hasher(memory=8).needs_rehash(old)
    assert hasher(memory=16).verify(old, "correct horse")
