"""What the extraction package may import, and where."""

import subprocess
import sys

PARSERS = ("pypdfium2", "lxml", "olefile", "selectolax", "charset_normalizer")


def test_the_parent_imports_no_parser() -> None:
    script = "import sys, chatsphere.knowledge.extraction, chatsphere.knowledge.chunking; print(*sys.modules)"
    environment = {"PYTHONPATH": ":".join(sys.path)}

    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)

    assert not {name.partition(".")[0] for name in run.stdout.split()} & set(PARSERS)
