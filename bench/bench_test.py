"""Every benchmark runs, says what it must, and what it did to the books is right; how fast it was is not asked here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .harness import percentile
from .workloads import HOT_ACCOUNTS, Hot, Uniform, Workload, Zipf, build_entries

TIMEOUT_SECONDS = 120
FLOORS = {
    "ledger": {"bare_copy", "hot_row", "plain_sql_1_connection", "plain_sql_16_connections"},
    "http": {"hot_row", "plain_sql_1_connection", "plain_sql_16_connections"},
    "batch": {"bare_copy", "hot_row", "plain_sql_1_connection", "plain_sql_16_connections"},
    "growth": set(),
    "two-engines": {"bare_copy"},
    "import": set(),
    "day-end": set(),
    "settlement": {"bare_copy"},
    "onboarding": {"hot_row"},
}
EXTRA = {
    "ledger": {"workloads", "single_lane"},
    "http": {"rounds", "max_ms"},
    "batch": {"rounds", "max_ms"},
    "growth": {"cost_ratios", "cost_ratios_of_first_round", "rates", "bare_copy_of_few"},
    "two-engines": {"one_engine", "two_engines", "ratio_to_one_engine", "deadlocks_in_the_database"},
    "import": {"import_seconds", "verify_seconds"},
    "onboarding": {"rounds", "max_ms"},
    "day-end": {"steps"},
    "settlement": {"settlement_seconds", "accrual_of_the_day_seconds"},
}
CONDITIONS = {"machine", "load_average_at_start", "database", "data_filesystem", "accounts", "seconds", "skew", "clock"}


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "eastflow_bench", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        said, told = process.communicate(timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        # Not killed: it has a server to stop.
        process.terminate()
        said, told = process.communicate()
    return subprocess.CompletedProcess(command, process.returncode, said, told)


@pytest.mark.parametrize(
    "name", ["ledger", "http", "batch", "growth", "two-engines", "import", "day-end", "settlement", "onboarding"]
)
def test_prints_one_object_and_leaves_the_books_right(name: str) -> None:
    if name == "import" and "EASTFLOW_BERKA_DIR" not in os.environ:
        pytest.skip("EASTFLOW_BERKA_DIR does not say where the files are")
    ran = bench(name, "--json", "--quick")
    assert ran.returncode == 0, ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout)
    assert told["name"] == name
    assert told["value"] > 0
    assert told["unit"]
    assert told["checks"]
    assert all(told["checks"].values())
    assert told["conditions"].keys() >= CONDITIONS
    assert told["conditions"]["database"]["fsync"] == "on"
    assert told["conditions"]["database"]["synchronous_commit"] == "on"
    assert told["conditions"]["database"]["full_page_writes"] == "on"
    assert told["floors"].keys() == FLOORS[name]
    assert all(floor["value"] > 0 and floor["ratio"] > 0 for floor in told["floors"].values())
    assert told.keys() >= EXTRA[name]
    if name != "import":
        assert told["p50_ms"] <= told["p99_ms"]


def test_a_data_directory_is_used_again(tmp_path_factory: pytest.TempPathFactory) -> None:
    place = Path("/var/tmp") if os.geteuid() == 0 else tmp_path_factory.mktemp("bench")
    directory = place / f"eastflow-bench-test-{os.getpid()}"
    try:
        for _ in range(2):
            ran = bench("two-engines", "--json", "--quick", "--data-dir", str(directory))
            assert ran.returncode == 0, ran.stderr
        assert (directory / "PG_VERSION").exists()
    finally:
        subprocess.run(["rm", "-rf", str(directory)], check=True)


def test_without_json_a_table_is_printed() -> None:
    ran = bench("two-engines", "--quick")
    assert ran.returncode == 0, ran.stderr
    assert "two-engines:" in ran.stdout
    assert "bare_copy" in ran.stdout


def test_an_unknown_name_is_told() -> None:
    ran = bench("speed")
    assert ran.returncode == 2
    assert "usage" in ran.stderr


@pytest.mark.parametrize("workload", [Uniform(100), Zipf(100), Hot(100), Uniform(100, first=101)])
def test_no_account_pays_itself_and_every_account_exists(workload: Workload) -> None:
    debited, credited = workload.pairs(5_000)
    assert (debited != credited).all()
    first = min(debited.min(), credited.min())
    assert first in (1, 101)
    assert max(debited.max(), credited.max()) <= first + 99


def test_zipf_falls_off_as_it_should() -> None:
    debited, _ = Zipf(1_000).pairs(100_000)
    counts = [count for _, count in Counter(debited.tolist()).most_common()]
    # The pairs are different accounts, which takes a little from the first, so the bounds are wide.
    assert 1.6 < counts[0] / counts[1] < 2.4
    assert 6 < counts[0] / counts[9] < 14


def test_hot_has_one_hot_side_in_every_entry() -> None:
    debited, credited = Hot(10_000).pairs(8_000)
    hot = {number for number, count in Counter(np.concatenate((debited, credited)).tolist()).items() if count > 50}
    assert len(hot) == HOT_ACCOUNTS
    assert all((payer in hot) or (payee in hot) for payer, payee in zip(debited, credited, strict=True))


def test_entries_sum_to_zero_and_have_ids_of_their_own() -> None:
    entries = build_entries(Uniform(50), 500)
    assert all(sum(leg.amount_minor for leg in entry.postings) == 0 for entry in entries)
    assert len({entry.id for entry in entries}) == 500
    assert all(entry.id.version == 7 for entry in entries)


def test_percentiles_are_values_that_occurred() -> None:
    values = list(range(1, 101))
    assert [percentile(values, percent) for percent in (50, 99, 100)] == [50, 99, 100]
    assert percentile([7], 99) == 7
