"""Checking a copy of a data directory against the manifest that `pg_basebackup` wrote with it.

`pg_verifybackup` does the same, but the one that comes with our server's package crashes on every call. The format:
https://www.postgresql.org/docs/18/backup-manifest-format.html
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MANIFEST_FILE = "backup_manifest"
ALGORITHM = "SHA256"
_NOT_LISTED = frozenset({MANIFEST_FILE, "postgresql.auto.conf", "recovery.signal", "standby.signal"})


@dataclass(frozen=True, slots=True)
class LogRange:
    """The part of the write-ahead log without which the copy cannot be used."""

    timeline: int
    start: str
    end: str


def damage(copy: Path) -> Iterator[str]:
    """What is not as it was when the copy was made, a line for each; nothing if it is whole."""
    try:
        written = (copy / MANIFEST_FILE).read_bytes()
        manifest = json.loads(written)
        files = {_path(each): each for each in manifest["Files"]}
        sealed = written[: written.rindex(b'"Manifest-Checksum"')]
        if hashlib.sha256(sealed).hexdigest() != manifest["Manifest-Checksum"]:
            yield f"{MANIFEST_FILE} has been changed"
    except (OSError, ValueError, KeyError, TypeError) as problem:
        yield f"{MANIFEST_FILE} cannot be read: {problem}"
        return
    for name, each in sorted(files.items()):
        if name not in _NOT_LISTED and (problem_text := _compare(copy / name, each)):
            yield f"{name} {problem_text}"
    for path in sorted(copy.rglob("*")):
        name = str(path.relative_to(copy))
        if path.is_file() and name not in files and name not in _NOT_LISTED and not name.startswith("pg_wal/"):
            yield f"{name} is not in the manifest"


def log_ranges(copy: Path) -> list[LogRange]:
    """The manifest is whole."""
    manifest = json.loads((copy / MANIFEST_FILE).read_bytes())
    return [LogRange(each["Timeline"], each["Start-LSN"], each["End-LSN"]) for each in manifest["WAL-Ranges"]]


def _compare(path: Path, told: dict[str, object]) -> str | None:
    if told.get("Checksum-Algorithm") != ALGORITHM:
        return f"has no {ALGORITHM} sum"
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as problem:
        return f"cannot be read: {problem.strerror}"
    return None if found == told["Checksum"] else "has been changed"


def _path(told: dict[str, str]) -> str:
    return told["Path"] if "Path" in told else bytes.fromhex(told["Encoded-Path"]).decode(errors="surrogateescape")
