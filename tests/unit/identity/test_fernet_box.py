from collections.abc import Callable

import pytest

from chatsphere.adapters.fernet_box import FernetSecretBox
from chatsphere.errors import ConfigurationError
from chatsphere.settings import MfaSettings


def test_what_is_sealed_is_opened_and_not_read() -> None:
    box = FernetSecretBox("one long random text")

    sealed = box.seal("GEZDGNBVGY3TQOJQ")

    assert box.open(sealed) == "GEZDGNBVGY3TQOJQ"
    assert "GEZDGNBVGY3TQOJQ" not in sealed
    assert sealed != box.seal("GEZDGNBVGY3TQOJQ")
    assert (sealed.isascii(), sealed.isprintable()) == (True, True)


def test_a_former_key_still_opens_and_no_longer_seals() -> None:
    former, latter = FernetSecretBox("former"), FernetSecretBox("latter", "former")

    assert latter.open(former.seal("secret")) == "secret"
    with pytest.raises(ConfigurationError):
        former.open(latter.seal("secret"))


@pytest.mark.parametrize("change", [lambda text: text[:-3], lambda text: "x" + text, lambda _: "", lambda _: "é"])
def test_what_was_changed_is_not_opened(change: Callable[[str], str]) -> None:
    box = FernetSecretBox("key")

    with pytest.raises(ConfigurationError):
        box.open(change(box.seal("secret")))


@pytest.mark.parametrize("keys", [(), ("",), ("key", "")])
def test_without_a_key_nothing_is_sealed(keys: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError):
        FernetSecretBox(*keys).seal("secret")


def test_a_setting_may_hold_several_keys() -> None:
    assert MfaSettings(mfa_encryption_key=" new , old,").mfa_encryption_keys == ("new", "old")
