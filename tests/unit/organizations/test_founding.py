import pytest

from chatsphere.organizations.founding import MAX_NAME, personal_name


@pytest.mark.parametrize(
    ("first_name", "last_name", "name"),
    [("Ada", "Lovelace", "Ada Lovelace"), ("Ada", "", "Ada"), ("", "Lovelace", "Lovelace"), ("", "", "ada.l")],
)
def test_a_personal_organization_is_called_like_its_person(first_name: str, last_name: str, name: str) -> None:
    assert personal_name(first_name, last_name, "ada.l@example.com") == name


def test_a_long_name_is_cut_to_what_can_be_stored() -> None:
    assert personal_name("a" * 150, "b" * 150, "ada@example.com") == "a" * 150 + " " + "b" * (MAX_NAME - 151)
