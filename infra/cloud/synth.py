"""`make synth`: writes the templates of every deployment, and checks them. Needs no AWS account and no network."""

import shutil
import sys
from pathlib import Path
from time import monotonic
from typing import Final

from infra.cloud.app import EXPECTED_ERRORS, WRONG_INPUT, build_app
from infra.cloud.assets import Assets, BuiltAssets
from infra.cloud.config import DEPLOYMENTS, load_config

OUTPUT: Final = Path(__file__).parents[2] / "cdk.out"
FINDINGS: Final = 1
REFUSED: Final = "ValidationFailed"


def synthesize(name: str, assets: Assets, output: Path) -> Path:
    """Write the deployment's templates and assets to `<output>/<name>`, in place of what stood there.

    Raises:
        RuntimeError: cdk-nag has findings; the library has printed them.
    """
    folder = output / name
    shutil.rmtree(folder, ignore_errors=True)
    build_app(load_config(name), assets, outdir=folder).synth()
    return folder


def main() -> int:
    """Synthesize every deployment; return the exit code."""
    started = monotonic()
    try:
        for deployment in sorted(path.stem for path in DEPLOYMENTS.glob("*.toml")):
            folder = synthesize(deployment, BuiltAssets(), OUTPUT)
            print(f"{deployment:12} {len(list(folder.glob('*.template.json')))} stacks in {folder}")
    except EXPECTED_ERRORS as error:
        print(error, file=sys.stderr)
        return WRONG_INPUT
    except RuntimeError as error:
        if REFUSED not in str(error):
            raise
        print(error, file=sys.stderr)
        return FINDINGS
    print(f"cdk-nag (AwsSolutions) has no finding. {monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
