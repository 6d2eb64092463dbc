"""`chatsphere eval calibrate`: fits the confidence of search to the embedding model that the deployment uses."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from chatsphere.cli.commands.evaluations.options import FirstOption, KeepOption, TimeoutOption
from chatsphere.cli.errors import UsageError
from chatsphere.cli.output import Rows
from chatsphere.cli.progress import bars
from chatsphere.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from chatsphere.cli.evaluation.calibrating import Calibrated, Search
    from chatsphere.cli.evaluation.dataset import Dataset
    from chatsphere.cli.progress import Bars

SCOPE = "organization:write"
THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5)


def evaluate(
    session: Session,
    folders: Annotated[
        list[Path], typer.Argument(metavar="DIR…", help="Folders with corpus.jsonl, queries.jsonl, qrels.tsv.")
    ],
    write: Annotated[
        bool, typer.Option("--write", help="Store the calibration: it holds for all bots at once.")
    ] = False,
    first: FirstOption = None,
    keep: KeepOption = False,
    timeout: TimeoutOption = 3600,
) -> None:
    """Fit the logistic of two features of a search, and show what it is worth on questions it was not fitted to."""
    from chatsphere.cli.evaluation import calibrating, dataset

    if write:
        _may_write(session)
    sets = [dataset.read(folder).first(first) for folder in folders]
    found: list[Search] = []
    models = set()
    with bars(session.output) as shown:
        for one in sets:
            others = [other for other in sets if other is not one]
            searched, model = _searched(session, one, others, keep=keep, timeout=timeout, shown=shown)
            found += searched
            models.add(model)
    [model] = models
    calibrated = calibrating.calibrate(found)
    report = _report(model, [one.name for one in sets], found, calibrated)
    if write:
        path = f"/embedding-models/{quote(model, safe='')}/calibration"
        report["stored"] = session.client.put(path, report["calibration"])
    session.output.result(report, lambda console: _show(console, report))


def _may_write(session: Session) -> None:
    """Say before an hour of measuring, and not after it, that the result could not be stored.

    Raises:
        UsageError: the API key lacks the scope.
    """
    key = session.client.get("/me").get("api_key")
    if key is not None and SCOPE not in key.get("scopes", [SCOPE]):
        raise UsageError(f"The API key lacks the scope {SCOPE}, which --write needs.", hint="Log in, or make another.")


def _searched(
    session: Session,
    one: "Dataset",
    others: "Sequence[Dataset]",
    *,
    keep: bool,
    timeout: float,
    shown: "Bars",
) -> "tuple[list[Search], str]":
    """Return a set's searches, and the model that embedded its bots."""
    from chatsphere.cli.evaluation import calibrating, loading

    client = session.client.patient()
    cut = calibrating.halves(one)
    first, second = (one.without(passages) for passages in cut.without)
    strangers = [question for other in others for question in other.questions]
    total = sum(map(len, cut.questions))
    with loading.bot_for(client, first, None, keep=keep) as a, loading.bot_for(client, second, None, keep=keep) as b:
        for bot_id, held in ((a, first), (b, second)):
            loading.loaded(client, bot_id, held, timeout=timeout, shown=shown)
        searches = calibrating.searches(client, (a, b), cut, strangers, shown.add(f"{one.name}: asked", total))
        return list(searches), str(client.get(f"/bots/{a}")["embedding_model"])


def _report(model: str, names: list[str], found: "Sequence[Search]", calibrated: "Calibrated") -> dict[str, Any]:
    from chatsphere.cli.evaluation.calibrating import ANSWERABLE
    from chatsphere.cli.evaluation.discrimination import expected_calibration_error, reliability, roc_auc, share_below
    from chatsphere.cli.evaluation.intervals import resampled_pairs

    by_kind: dict[str, list[float]] = {}
    for one, score in zip(found, calibrated.unseen, strict=True):
        by_kind.setdefault(one.kind, []).append(score)
    positive = by_kind.pop(ANSWERABLE)
    negative = [score for scores in by_kind.values() for score in scores]
    bins = reliability(positive, negative)
    error = expected_calibration_error(bins)
    area = resampled_pairs(positive, negative, roc_auc)
    coefficients = {name: round(getattr(calibrated.fit, name), 4) for name in ("dense", "coverage", "intercept")}
    fitted_on = {"sets": names, "examples": len(found), "auc": round(area.value, 4)}
    return {
        "embedding_model": model,
        "calibration": coefficients
        | {"threshold": calibrated.threshold}
        | {"fitted_on": fitted_on | {"expected_calibration_error": round(error, 4)}},
        "auc": {"all": area.as_json()}
        | {kind: resampled_pairs(positive, scores, roc_auc).as_json() for kind, scores in sorted(by_kind.items())},
        "thresholds": [
            {"threshold": threshold, "falsely_refused": round(share_below(positive, threshold), 4)}
            | {kind: round(share_below(scores, threshold), 4) for kind, scores in sorted(by_kind.items())}
            for threshold in sorted({*THRESHOLDS, calibrated.threshold})
        ],
        "reliability": [each.as_json() for each in bins],
    }


def _show(console: "Console", report: dict[str, Any]) -> None:
    from chatsphere.cli.commands.evaluations.reliability import show_reliability

    fitted = report["calibration"]
    console.print(f"{report['embedding_model']}: {fitted['fitted_on']['examples']} searches")
    console.print(
        f"intercept {fitted['intercept']:.3f}, dense {fitted['dense']:.3f}, coverage {fitted['coverage']:.3f},"
        f" threshold {fitted['threshold']:.2f}",
        style="bold",
    )
    console.print("On questions that it was not fitted to:")
    for kind, area in report["auc"].items():
        console.print(f"  AUC, {kind}: {area['value']:.3f} [{area['low']:.3f}, {area['high']:.3f}]")
    columns = list(report["thresholds"][0])
    rows = Rows([name.replace("_", " ") if name != "threshold" else name for name in columns], right=columns)
    for each in report["thresholds"]:
        rows.add(f"{each['threshold']:.2f}", *(f"{each[name]:.1%}" for name in columns[1:]))
    console.print("Refused below each threshold:")
    console.print(rows.table)
    show_reliability(console, "all", report["reliability"], fitted["fitted_on"]["expected_calibration_error"])
    console.print("Stored." if "stored" in report else "Not stored: --write does.")
