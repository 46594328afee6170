"""How long it takes to bring the Czech bank's books over and prove them, from an empty bank to verified."""  # noqa: N999 - it bears the name it is asked for by

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from eastflow.ledger import trial_balance_at
from eastflow.storage import Database

from . import harness
from .harness import Bank, Report, progress, rounded

SUMMARY = "Importing the Berka files into an empty bank, start to verified."
FILES_VARIABLE = "EASTFLOW_BERKA_DIR"
URL_VARIABLE = "EASTFLOW_DATABASE_URL"
COMMAND_MODULE = "eastflow.main"


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--files", type=Path, help=f"where the .asc files are; otherwise {FILES_VARIABLE} says it")


async def measure(bank: Bank, arguments: argparse.Namespace) -> Report:
    files = _files(arguments)
    started = time.monotonic()
    status_import, imported = await _eastflow(bank, "import", "berka", str(files), "--json")
    imported_after = time.monotonic() - started
    progress(f"imported in {imported_after:.1f} s")
    status_verify, verified = await _eastflow(bank, "verify", "--json")
    seconds = time.monotonic() - started
    database = await Database.open(bank.url)
    try:
        async with database.reading() as tx:
            entries = await tx.value("SELECT count(*) FROM ledger_entry")
            accounts = await tx.value("SELECT count(*) FROM ledger_account")
            balanced = (await trial_balance_at(tx)).balanced
    finally:
        await database.close()
    held = {
        "import_succeeded": status_import == 0,
        "verify_succeeded": status_verify == 0,
        "trial_balance_is_zero": balanced,
        "there_are_entries": entries > 0,
    }
    conditions = {
        "accounts": accounts, "entries": entries, "files_bytes": sum(each.stat().st_size for each in _asc(files)),
        "seconds": rounded(seconds), "skew": "as in the files", "clients": 1,
        "clock": "from the start of `eastflow import` to the end of `eastflow verify`, two processes of their own, "
        "tables made within; the database server runs already and is empty",
    }  # fmt: skip
    more = {
        "import_seconds": rounded(imported_after),
        "verify_seconds": rounded(seconds - imported_after),
        "entries_per_second": rounded(entries / seconds),
        "import": imported,
        "verify": verified,
    }
    return Report(seconds, "s", held, conditions=conditions, more=more)


def _files(arguments: argparse.Namespace) -> Path:
    told = arguments.files or os.environ.get(FILES_VARIABLE)
    if not told:
        raise SystemExit(f"Say where the files are: --files DIR or {FILES_VARIABLE}.")
    files = Path(told).resolve()
    if not _asc(files):
        raise SystemExit(f"There are no .asc files in {files}.")
    return files


def _asc(files: Path) -> list[Path]:
    return sorted(files.glob("*.asc"))


async def _eastflow(bank: Bank, *words: str) -> tuple[int, Any]:
    """Run one command of the bank as its users do; its exit status and the JSON it printed."""
    start = f"from {COMMAND_MODULE} import main; main()"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", start, *words,
        stdout=asyncio.subprocess.PIPE, env=os.environ | {URL_VARIABLE: bank.url},
    )  # fmt: skip
    said, _ = await process.communicate()
    try:
        answer: Any = json.loads(said)
    except ValueError:
        answer = said.decode(errors="replace")[-1_000:]
    assert process.returncode is not None
    return process.returncode, answer


if __name__ == "__main__":
    harness.main("import", SUMMARY, measure, options)
