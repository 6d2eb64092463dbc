from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chatsphere.bots.diffs import FieldChange, differences

VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
CONTENTS = st.fixed_dictionaries(
    {"name": st.text(max_size=3), "avatar": VALUES},
    optional={"configuration": st.dictionaries(st.sampled_from(["top_k", "threshold", "x"]), VALUES)},
)


def test_settings_are_compared_one_by_one() -> None:
    before = {"name": "a", "avatar": None, "configuration": {"top_k": 3, "threshold": 0.5}}
    after = {"name": "b", "avatar": None, "configuration": {"top_k": 4, "token_budget": 500}}

    assert differences(before, after) == [
        FieldChange("configuration.threshold", "removed", 0.5, None),
        FieldChange("configuration.token_budget", "added", None, 500),
        FieldChange("configuration.top_k", "changed", 3, 4),
        FieldChange("name", "changed", "a", "b"),
    ]


def test_compared_with_nothing_all_is_new() -> None:
    content = {"name": "a", "avatar": None, "configuration": {"top_k": 3}}

    assert differences({}, content) == [
        FieldChange("avatar", "added", None, None),
        FieldChange("configuration.top_k", "added", None, 3),
        FieldChange("name", "added", None, "a"),
    ]


@given(CONTENTS, CONTENTS)
def test_what_a_difference_says_leads_from_one_to_the_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    made = flat(before)
    for change in differences(before, after):
        assert made.get(change.field) == change.before
        if change.change == "removed":
            del made[change.field]
        else:
            made[change.field] = change.after

    assert made == flat(after)


@given(CONTENTS)
def test_nothing_differs_from_itself(content: dict[str, Any]) -> None:
    assert differences(content, content) == []


def flat(content: dict[str, Any]) -> dict[str, Any]:
    own = {name: value for name, value in content.items() if name != "configuration"}
    return own | {f"configuration.{name}": value for name, value in content.get("configuration", {}).items()}
