"""`chatsphere cost`: what the synthesized deployments cost. It asks no API and no account."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from chatsphere.cli.errors import CliError
from chatsphere.cli.options import command
from chatsphere.cli.session import Session

REPOSITORY = Path(__file__).parents[3]
ASSEMBLIES = REPOSITORY / "cdk.out"

TemplatesOption = Annotated[
    Path, typer.Option("--templates", metavar="DIR", help="Where each folder is one synthesized deployment.")
]
SynthesizeOption = Annotated[
    bool, typer.Option("--synthesize", help="Make the templates of every deployment now, without their code.")
]


def register(app: typer.Typer) -> None:
    """Put the command into the application."""
    command(app, "cost")(cost)


def cost(session: Session, templates: TemplatesOption = ASSEMBLIES, synthesize: SynthesizeOption = False) -> None:
    """Print what each deployment costs: idle, for 1,000 messages, and for 1,000 pages."""
    from infra.cloud.cost.idle import UnpricedError
    from infra.cloud.cost.prices import load_prices
    from infra.cloud.cost.report import as_json, costs_of, show
    from infra.cloud.cost.templates import Deployment, NoTemplatesError, read_deployments

    def read() -> list[Deployment]:
        if not synthesize:
            return read_deployments(templates)
        with TemporaryDirectory() as folder:
            _synthesize(Path(folder))
            return read_deployments(Path(folder))

    prices = load_prices()
    try:
        costs = [costs_of(deployment, prices) for deployment in read()]
    except NoTemplatesError as error:
        raise CliError(f"{error}.", hint="Make the templates with: make synth", code="no_templates") from None
    except UnpricedError as error:
        raise CliError(f"{error}.", code="unpriced") from None
    session.output.result(as_json(costs, prices), lambda console: show(console, costs, prices))


def _synthesize(folder: Path) -> None:
    try:
        from infra.cloud.cost.synthesis import synthesize_all
    except ImportError as error:
        raise CliError(
            f"{error.name} is not installed.", hint="Install what synthesis needs with: make synth", code="no_cdk"
        ) from None
    synthesize_all(folder)
