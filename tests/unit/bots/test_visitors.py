import pytest

from chatsphere.bots.visitors import visitor_place


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        (None, "", True),
        (None, "nonsense", True),
        ("nonsense", "192.0.2.1", False),
    ],
)
def test_addresses_that_one_visitor_can_take_are_counted_together(one: str | None, other: str, same: bool) -> None:
    assert (visitor_place(one) == visitor_place(other)) is same
