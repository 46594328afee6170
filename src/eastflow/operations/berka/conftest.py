"""Where the Czech bank's files lie for the tests that read the real ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .read import Source, read

_REPOSITORY = Path(__file__).parents[4]


@pytest.fixture(scope="session")
def berka_directory() -> Path:
    directory = Path(os.environ.get("EASTFLOW_BERKA_DIR", _REPOSITORY.parent / "shared" / "data" / "berka"))
    if not (directory / "trans.asc").is_file():
        pytest.skip(f"the Berka files are not in {directory}: set EASTFLOW_BERKA_DIR to where they are")
    return directory


@pytest.fixture(scope="session")
def berka(berka_directory: Path) -> Source:
    return read(berka_directory)
