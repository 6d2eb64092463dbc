"""The permission table in words: in the OpenAPI document and in docs/permissions.md."""

from chatsphere.access.permissions import Requirement, Role


def requirement_text(requirement: Requirement) -> str:
    """Return what a permission takes, as the rest of a sentence."""
    parts = []
    if requirement.person_only:
        parts.append("a person's own token, no API key")
    elif requirement.scope is not None:
        parts.append(f"for an API key the scope `{requirement.scope.value}`")
    else:
        parts.append("any API key")
    parts.append(
        "any role" if requirement.role == Role.VIEWER else f"the role `{requirement.role.text}`{_above(requirement)}"
    )
    if requirement.bot is not None:
        parts.append(f"`{requirement.bot.text}` on the bot")
    return "; ".join(parts)


def _above(requirement: Requirement) -> str:
    return "" if requirement.role == Role.OWNER else " or above"
