"""What is done with bots, with who may see and change them, and with their documents."""

from collections.abc import Callable
from typing import Any

from tests.integration.access_model.run import Run
from tests.integration.access_model.steps import Choices
from tests.integration.access_model.world import Bot, Credential

VISIBILITIES = ("private", "organization", "public")
Use = Callable[[Run, Choices, Credential, Bot], None]


def make_bot(run: Run, choices: Choices) -> None:
    credential = run.credential(choices)
    body = {"name": "Bot", "visibility": choices.one(VISIBILITIES)}
    status = 201 if credential.bots is None else 403
    made = run.ask(credential, "make bot", "POST", "/v1/bots", body, then=status)
    if made is not None:
        grants = {credential.person: "manage"}
        run.world.bots.append(Bot(made["id"], credential.organization, body["visibility"], grants))


def list_bots(run: Run, choices: Choices) -> None:
    credential = run.credential(choices)
    shown = run.ids(credential, "list bots", "/v1/bots")
    run.same("list bots", shown, run.world.visible_bots(credential) if shown is not None else None)


def on_a_bot(use: Use) -> Callable[[Run, Choices], None]:
    """Return the action that chooses who uses which bot; where there is none yet, one is made."""

    def action(run: Run, choices: Choices) -> None:
        credential = run.credential(choices)
        bot = run.bot(credential, choices)
        if bot is None:
            make_bot(run, choices)
        else:
            use(run, choices, credential, bot)

    return action


def read_bot(run: Run, _choices: Choices, credential: Credential, bot: Bot) -> None:
    shown = run.ask(credential, "read bot", "GET", f"/v1/bots/{bot.id}", bot=bot)
    if shown is not None:
        run.same("read bot", (shown["id"], shown["visibility"]), (bot.id, bot.visibility))


def rename_bot(run: Run, _choices: Choices, credential: Credential, bot: Bot) -> None:
    run.ask(credential, "change bot", "PATCH", f"/v1/bots/{bot.id}", {"name": "Renamed"}, bot=bot)


def show_bot_to(run: Run, choices: Choices, credential: Credential, bot: Bot) -> None:
    visibility = choices.one(VISIBILITIES)

    def status() -> int:
        return 200 if visibility == bot.visibility or run.world.level(credential, bot) == 3 else 403

    body = {"visibility": visibility}
    if run.ask(credential, "change bot", "PATCH", f"/v1/bots/{bot.id}", body, bot=bot, then=status) is not None:
        bot.visibility = visibility


def delete_bot(run: Run, _choices: Choices, credential: Credential, bot: Bot) -> None:
    # Seldom, or there would be none left to do anything with.
    if len(run.world.visible_bots(credential)) < 2 if run.world.alive(credential) else False:
        return read_bot(run, _choices, credential, bot)
    if run.ask(credential, "delete bot", "DELETE", f"/v1/bots/{bot.id}", bot=bot, then=202) is not None:
        bot.deleted = True
    return None


def list_bot_members(run: Run, _choices: Choices, credential: Credential, bot: Bot) -> None:
    path = f"/v1/bots/{bot.id}/members"
    page = run.ask(credential, "list bot members", "GET", path, bot=bot, query={"limit": ["100"]})
    if page is not None:
        shown = {(member["user_id"], member["permission"]) for member in page["data"]}
        run.same("list bot members", shown, {(person.id, level) for person, level in bot.grants.items()})


def grant(run: Run, choices: Choices, credential: Credential, bot: Bot) -> None:
    person = choices.mostly(list(bot.organization.roles), run.world.people)
    level = choices.one(("view", "edit", "manage"))
    path = f"/v1/bots/{bot.id}/members/{person.id}"
    status = 200 if person in bot.organization.roles else 404
    if run.ask(credential, "grant", "PUT", path, {"permission": level}, bot=bot, then=status) is not None:
        bot.grants[person] = level


def withdraw(run: Run, choices: Choices, credential: Credential, bot: Bot) -> None:
    person = choices.mostly(list(bot.grants), run.world.people)
    path = f"/v1/bots/{bot.id}/members/{person.id}"
    status = 204 if person in bot.grants else 404
    if run.ask(credential, "withdraw", "DELETE", path, bot=bot, then=status) is not None:
        del bot.grants[person]


def list_versions(run: Run, _choices: Choices, credential: Credential, bot: Bot) -> None:
    run.ask(credential, "list versions", "GET", f"/v1/bots/{bot.id}/versions", bot=bot)


def list_documents(run: Run, _choices: Choices, credential: Credential, bot: Bot) -> None:
    shown = run.ids(credential, "list documents", f"/v1/bots/{bot.id}/documents", bot=bot)
    run.same("list documents", shown, bot.documents)


def add_document(run: Run, choices: Choices, credential: Credential, bot: Bot) -> None:
    body = {"name": f"{len(bot.documents)}.txt", "text": "Text."}
    added: Any = run.ask(credential, "add document", "POST", f"/v1/bots/{bot.id}/documents", body, bot=bot, then=202)
    if added is not None:
        bot.documents.add(added["document"]["id"])


def list_conversations(run: Run, _choices: Choices, credential: Credential, bot: Bot) -> None:
    run.ask(credential, "list conversations", "GET", f"/v1/bots/{bot.id}/conversations", bot=bot)


ACTIONS = {
    "make bot": make_bot,
    "list bots": list_bots,
    "read bot": on_a_bot(read_bot),
    "rename bot": on_a_bot(rename_bot),
    "show bot to": on_a_bot(show_bot_to),
    "delete bot": on_a_bot(delete_bot),
    "list bot members": on_a_bot(list_bot_members),
    "grant": on_a_bot(grant),
    "withdraw": on_a_bot(withdraw),
    "list versions": on_a_bot(list_versions),
    "list documents": on_a_bot(list_documents),
    "add document": on_a_bot(add_document),
    "list conversations": on_a_bot(list_conversations),
}
