"""Writing one hostile file: in a process of its own, for its memory would be counted as that of whoever reads it.

python -m tests.hostile.writing NAME PATH
"""

import subprocess
import sys
from pathlib import Path

from tests.hostile.files import FILES


def write(name: str, path: Path) -> None:
    """Write the hostile file of this name."""
    subprocess.run([sys.executable, "-m", "tests.hostile.writing", name, str(path)], check=True)


if __name__ == "__main__":
    [chosen] = [file for file in FILES if file.name == sys.argv[1]]
    chosen.write(Path(sys.argv[2]))
