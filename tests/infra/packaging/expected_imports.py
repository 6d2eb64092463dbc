"""Which packages a function may load: at its start, and by its first answer. Derived from its layers."""

from infra.packaging.layers import PYTHON, build_layer, cloud_layers
from infra.packaging.targets import this_machine
from tests.infra.packaging.coldness import ColdStarts
from tests.infra.packaging.imports import imported_packages, provided

AT_START = {
    "answer_question": ("core", "streaming"),
    "fetch_pages": ("core", "providers", "parsers"),
    "migrate_database": ("core", "migrations"),
}
"""The layers that a function needs before its first event; the others need `core`."""

AWS = {"boto3", "botocore", "s3transfer", "dateutil", "six", "urllib3"}
"""What the managed runtime brings besides."""

WITHOUT_AWS = {
    "describe_api",
    "manage_bots",
    "manage_conversations",
    "manage_webhooks",
    "roll_up_usage",
    "show_insights",
}
"""What their trials ask for needs the database alone."""

IN_A_CHILD = {"extract_document": "parsers"}
"""Layers that only a child process of the function may load."""

BESIDES = {"extract_document": {"gcld3"}}
"""What of them the function itself loads: it tells the language of what the child has read."""


def unneeded_imports(starts: ColdStarts) -> list[str]:
    """Say what the function's last process, run under the profiler, has imported without need."""
    name, printed = starts.package.spec.name, starts.log.read_bytes()
    brought = (provided(starts.package.packages) | AWS) - {"chatsphere"}
    at_start = imported_packages(printed[: starts.started]) & brought
    in_all = imported_packages(printed) & brought
    assert "psycopg" in at_start, "the profiler printed nothing"
    too_early = at_start - packages_of(*AT_START.get(name, ("core",)))
    too_much = in_all - for_answers(name, cloud_layers(starts.package.spec))
    early = [f"{name} loads {package} before its first event" for package in sorted(too_early)]
    return early + [f"{name} loads {package}, which is not for it" for package in sorted(too_much)]


def for_answers(name: str, layers: tuple[str, ...]) -> set[str]:
    """Return what a function may load to answer."""
    own = packages_of(*(layer for layer in layers if layer != IN_A_CHILD.get(name))) | BESIDES.get(name, set())
    return own - AWS if name in WITHOUT_AWS else own | AWS


def packages_of(*layers: str) -> set[str]:
    """Return the top-level packages that layers bring."""
    return {package for layer in layers for package in provided(build_layer(layer, this_machine()) / PYTHON)}
