"""What a fault run does to its bots' documents, and what must come of it: made of the seed alone."""

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from tests.builders.docx import make_docx
from tests.builders.pdf import make_pdf
from tests.hostile import pdf as hostile_pdf

Verb = Literal["put", "text", "remove", "delete"]
"""`put` and `remove` are S3's, `text` and `delete` the API's."""

ODD_NAMES: Final = ("a b {}", "plus+{}", "percent%20{}", "Ünï-ко-名-{}", "e\u0301-{}", "deep/er/{}", "quote'\"{}", "{}")


@dataclass(frozen=True, slots=True)
class Step:
    """One operation on a document; `body` is what is stored."""

    verb: Verb
    body: bytes = b""


@dataclass(slots=True)
class Life:
    """One document: where it is, what happens to it in order, and how it must end.

    It ends with the present bytes `ready`, `failed` with `error_code`, or gone (`body` None).
    """

    bot: int
    name: str
    steps: list[Step]
    token: str
    error_code: str | None = None
    done: int = field(default=0)

    @property
    def body(self) -> bytes | None:
        """The bytes that are stored at the end."""
        last = self.steps[-1]
        return last.body if last.verb in ("put", "text") else None

    @property
    def sha256(self) -> str:
        """Of the bytes that are stored at the end."""
        return hashlib.sha256(self.body or b"").hexdigest()


def plan(documents: int, bots: int, seed: int) -> list[Life]:
    """Return the lives of so many documents."""
    dice = random.Random(seed)
    return [_life(number, dice.randrange(bots), dice) for number in range(documents)]


def interleaved(lives: Sequence[Life], seed: int) -> Iterator[tuple[Life, Step]]:
    """Yield every step: those of one life in order, the lives mixed."""
    dice = random.Random(seed + 1)
    open_lives = [(life, iter(life.steps)) for life in lives]
    while open_lives:
        # Not from all at once: else no document would be under way while its next step comes.
        place = dice.randrange(min(len(open_lives), 12))
        life, steps = open_lives[place]
        step = next(steps, None)
        if step is None:
            open_lives.pop(place)
        else:
            yield life, step


def _life(number: int, bot: int, dice: random.Random) -> Life:
    token = f"token{number:05}x"
    if number % 10 == 9:
        name, body, code = _bad(number)
        return Life(bot, name, [Step("put", body)], token, code)
    extension = ("txt", "md", "csv", "html", "json", "pdf", "docx")[number % 7]
    name = ODD_NAMES[dice.randrange(len(ODD_NAMES))].format(f"{number}.{extension}")
    first, second = (_content(extension, f"{token}{letter}", dice) for letter in "ab")
    kind = dice.choices(
        ("put", "replace", "again", "remove", "recreate", "text", "delete"), (50, 18, 6, 8, 8, 5, 5)
    )[0]  # fmt: skip
    if kind == "text":
        return Life(bot, f"{number}.txt", [Step("text", f"{token}a is written on the wall.".encode())], f"{token}a")
    steps = {
        "put": [Step("put", first)],
        "replace": [Step("put", first), Step("put", second)],
        "again": [Step("put", first), Step("put", first)],
        "remove": [Step("put", first), Step("remove")],
        "recreate": [Step("put", first), Step("remove"), Step("put", second)],
        "delete": [Step("put", first), Step("delete")],
    }[kind]
    return Life(bot, name, steps, f"{token}{'b' if steps[-1].body == second else 'a'}")


def _bad(number: int) -> tuple[str, bytes, str]:
    return (
        (f"{number}.pdf", hostile_pdf.encrypted(), "encrypted"),
        (f"{number}.txt", b"  \n", "empty"),
        (f"{number}.pdf", b"no PDF at all", "type_mismatch"),
        (f"{number}.zip", b"PK\x05\x06" + bytes(18), "unsupported_format"),
        (f"scan-{number}.pdf", hostile_pdf.scan(), "no_text_layer"),
    )[number // 10 % 5]


def _content(extension: str, token: str, dice: random.Random) -> bytes:
    """Return a small document that holds the token, now and then one of several batches of chunks."""
    many = 90 if dice.random() < 0.05 else dice.randrange(1, 4)
    lines = [
        f"Item {n} of {token}: shelf {dice.randrange(1000)} holds {dice.randrange(1000)} boxes." for n in range(many)
    ]
    if extension == "pdf":
        return make_pdf(["\n\n".join(lines[n : n + 20]) for n in range(0, many, 20)])
    if extension == "docx":
        return make_docx(lines)
    if extension == "csv":
        return "\n".join(["place,what", *(f"{n},{line.replace(',', ';')}" for n, line in enumerate(lines))]).encode()
    if extension == "html":
        return ("<html><body>" + "".join(f"<p>{line}</p>" for line in lines) + "</body></html>").encode()
    if extension == "json":
        return ("[" + ",".join(f'{{"text": "{line}"}}' for line in lines) + "]").encode()
    return "\n\n".join(lines).encode()
