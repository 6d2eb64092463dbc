"""What the command line reads from its environment; nothing else in the package reads `os.environ`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import typer


@dataclass(frozen=True, slots=True)
class Environment:
    """Where and who by environment, and the folders that files are looked for in."""

    working_directory: Path
    config_directory: Path
    api: str | None = None
    api_key: str | None = None
    home: Path | None = None

    @classmethod
    def load(cls, variables: Mapping[str, str] | None = None) -> Self:
        """Read `CHATSPHERE_API`, `CHATSPHERE_API_KEY`, `CHATSPHERE_HOME` and `XDG_CONFIG_HOME`."""
        variables = os.environ if variables is None else variables
        home = variables.get("CHATSPHERE_HOME")
        return cls(
            working_directory=Path.cwd(),
            config_directory=_config_directory(variables.get("XDG_CONFIG_HOME")),
            api=variables.get("CHATSPHERE_API") or None,
            api_key=variables.get("CHATSPHERE_API_KEY") or None,
            home=Path(home) if home else None,
        )


def _config_directory(xdg_config_home: str | None) -> Path:
    """Return the platform's folder for settings: ~/.config/chatsphere but on macOS and Windows."""
    if xdg_config_home:
        return Path(xdg_config_home) / "chatsphere"
    return Path(typer.get_app_dir("chatsphere"))
