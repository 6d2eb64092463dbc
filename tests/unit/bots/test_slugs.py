"""Slugs that names suggest."""

import re
from uuid import uuid4

import pytest

from chatsphere.bots.slugs import FORM, has_id_form, slug_of


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Handbook", "handbook"),
        ("  Hilfe für Kunden: Öffnungszeiten! ", "hilfe-fur-kunden-offnungszeiten"),
        ("客服", "bot"),
        ("--", "bot"),
        ("A" * 200, "a" * 48),
        ("x" * 47 + " y", "x" * 47),
        ("01a20310-44c0-75cb-9649-7a0203e63694", "bot-01a20310-44c0-75cb-9649-7a0203e63694"),
    ],
)
def test_a_name_becomes_a_slug(name: str, slug: str) -> None:
    assert slug_of(name) == slug
    assert re.fullmatch(FORM, slug)


def test_an_id_is_no_slug() -> None:
    identifier = uuid4()
    assert has_id_form(str(identifier))
    assert has_id_form(identifier.hex)
    assert not has_id_form(f"{identifier.hex}0")
