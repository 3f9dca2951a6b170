"""CSV files of all kinds: `init`, `lf` and staging work, or name file and place."""

from pathlib import Path

import pytest

from tests.support.e2e import odd_csv

FILES = 60


@pytest.mark.parametrize("check", odd_csv.CHECKS)
def test_files_of_all_kinds(tmp_path: Path, check: odd_csv.Check) -> None:
    folder = odd_csv.prepare(tmp_path)
    for seed in range(FILES):
        try:
            check(odd_csv.draw(seed), folder)
        except Exception as error:
            raise AssertionError(f"python -m tests.support.e2e.odd_csv 1 {seed}") from error


def test_files_are_of_both_kinds(tmp_path: Path) -> None:
    folder, whole = odd_csv.prepare(tmp_path), 0
    for seed in range(20):
        odd_csv.check_staging(odd_csv.draw(seed), folder)
        whole += bool(list((folder / "run" / "staged").glob("*.json")))
    assert 3 < whole < 17
