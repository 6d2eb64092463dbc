"""A small simulated year; `python -m tests.bench.simulated_year` has a large one."""

from tests.bench.simulated_year.__main__ import simulate
from tests.postgres import fresh_database


def test_after_a_year_every_row_is_where_the_policies_want_it(database_server: str) -> None:
    with fresh_database(database_server) as urls:
        assert simulate(urls, messages=500, organizations=8, days=360, step_days=90, seed=7) == 0
