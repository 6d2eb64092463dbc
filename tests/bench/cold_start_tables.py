"""The tables of `make bench-cold`."""

from dataclasses import dataclass

from tests.infra.packaging.coldness import Usage

HEAVIEST = 10


@dataclass(frozen=True)
class Row:
    """The least of one function's cold starts.

    `imports`: milliseconds of each package, under the profiler. `unneeded`: what of them is not for the function.
    """

    name: str
    initial: Usage
    answered: Usage | None
    imports: dict[str, float]
    unneeded: list[str]

    @property
    def answer(self) -> float | None:
        """CPU milliseconds of the first answer."""
        return self.answered.cpu - self.initial.cpu if self.answered else None


def print_costs(empty: Row, rows: list[Row]) -> None:
    """Print CPU time and memory, with the ratio to the empty handler."""
    print(f"| {'function':27} | init CPU ms | / empty | first answer CPU ms | peak MiB | / empty |")
    print(f"|{'-' * 29}|------------:|--------:|--------------------:|---------:|--------:|")
    for each in (empty, *rows):
        answer = f"{each.answer:19.0f}" if each.answer is not None else f"{'–':>19}"
        peak = (each.answered or each.initial).peak
        ratio = each.initial.cpu / empty.initial.cpu
        memory = peak / (empty.answered or empty.initial).peak
        print(f"| {each.name:27} | {each.initial.cpu:11.0f} | {ratio:7.1f} | {answer} | {peak:8.0f} | {memory:7.1f} |")


def print_imports(empty: Row, rows: list[Row]) -> None:
    """Print which packages took most time to import, until after the first answer, beyond the empty handler's."""
    print(f"\n| {'function':27} | heaviest imports, ms by themselves |\n|{'-' * 29}|---|")
    for each in rows:
        beyond = {package: spent for package, spent in each.imports.items() if package not in empty.imports}
        heaviest = sorted(beyond.items(), key=lambda item: -item[1])[:HEAVIEST]
        print(f"| {each.name:27} | {', '.join(f'{package} {spent:.0f}' for package, spent in heaviest)} |")


def print_unneeded(rows: list[Row]) -> None:
    """Print what any function loads without need."""
    lines = [line for each in rows for line in each.unneeded]
    print("\n" + ("\n".join(lines) or "No function loads what is not for it."))
