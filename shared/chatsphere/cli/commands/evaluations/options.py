"""Options that several commands of `chatsphere eval` take."""

from pathlib import Path
from typing import Annotated

import typer

DirArgument = Annotated[
    Path, typer.Argument(metavar="DIR", help="A folder with corpus.jsonl, queries.jsonl (with answers), qrels.tsv.")
]
BotToReuse = Annotated[
    str | None, typer.Option("--bot", "-b", metavar="ID|NAME", help="A bot that holds the set, or is to keep it.")
]
KeepOption = Annotated[bool, typer.Option("--keep", help="Do not delete the temporary bots.")]
FirstOption = Annotated[int | None, typer.Option("--first", min=1, help="Only the first so many questions.")]
TimeoutOption = Annotated[float, typer.Option(min=0, help="Seconds to wait for the passages to be ready.")]
RequireOption = Annotated[bool, typer.Option("--require", help="Exit code 1 where the product's promise is not kept.")]
