"""The templates of every deployment, with placeholders for the code: what costs money does not depend on it."""

from pathlib import Path

from infra.cloud.assets import PlaceholderAssets
from infra.cloud.config import DEPLOYMENTS
from infra.cloud.synth import synthesize


def synthesize_all(folder: Path) -> None:
    """Write the templates of each known deployment to `<folder>/<deployment>`."""
    assets = PlaceholderAssets(folder / ".placeholders")
    for file in sorted(DEPLOYMENTS.glob("*.toml")):
        synthesize(file.stem, assets, folder)
