"""What the command line costs before it does anything, and what it may know."""

import subprocess
import sys

HELP = """
import sys
from chatsphere.cli.main import main
for arguments in (["--help"], ["drop", "--help"], ["eval", "--help"]):
    assert main(arguments) == 0
heavy = {"httpx", "numpy", "bm25s", "rich.progress", "aws_lambda_powertools"} & set(sys.modules)
assert not heavy, heavy
"""
KNOWS = """
import importlib, pkgutil, sys
import chatsphere.cli
for module in pkgutil.walk_packages(chatsphere.cli.__path__, "chatsphere.cli."):
    importlib.import_module(module.name)
others = [name for name in sys.modules if name.startswith("chatsphere.") and not name.startswith("chatsphere.cli")]
assert not others, others
"""


def run(program: str) -> None:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_help_goes_without_what_is_slow_to_import() -> None:
    run(HELP)


def test_it_knows_nothing_of_the_servers_side() -> None:
    run(KNOWS)
