"""The dated list of prices."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

PRICES: Final = Path(__file__).parents[1] / "prices" / "us_east_1_2026_11.toml"


class Meter(BaseModel):
    """What one thing costs: `dollars` for each `unit` beyond the `free` ones of a month."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dollars: float = Field(gt=0)
    unit: str
    free: float = Field(default=0, ge=0)
    page: str


class PriceList(BaseModel):
    """Every meter, by name, of one region as of one month."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    region: str
    as_of: str
    hours_per_month: float
    meters: Mapping[str, Meter]


def load_prices(path: Path = PRICES) -> PriceList:
    """Read a price list."""
    return PriceList.model_validate(tomllib.loads(path.read_text()))
