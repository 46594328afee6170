"""The heads of a proof, kept in a file for a later proof to begin from: its anchors."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec

from eastflow.kernel import INT64_MAX
from eastflow.ledger import Proof

from .messages import say
from .output import fail
from .shapes import heads_data

_Number = Annotated[int, msgspec.Meta(ge=0, le=INT64_MAX)]


class Head(msgspec.Struct, frozen=True):
    """The last block of a chain, and its SHA-256 in hexadecimal digits; block 0, without a hash, where none is."""

    block: _Number
    hash: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{64})?$")]

    def __post_init__(self) -> None:
        if (self.block == 0) != (self.hash == ""):
            raise ValueError("each block has a hash, and what is no block has none")


class Heads(msgspec.Struct, frozen=True):
    """By chain. What `verify --json` prints has them too, so that its output serves as well."""

    heads: Annotated[dict[_Number, Head], msgspec.Meta(min_length=1)]


def read_anchors(file: Path) -> Mapping[int, tuple[int, str]]:
    """By chain: the block's number and its hash. A file that cannot be used ends the program with status 2."""
    try:
        read = msgspec.json.decode(file.read_bytes(), type=Heads)
    except OSError as problem:
        fail(say("not_anchors", file=file, reason=problem.strerror), status=2)
    except (msgspec.MsgspecError, ValueError, RecursionError) as problem:
        fail(say("not_anchors", file=file, reason=problem), status=2)
    return {chain: (head.block, head.hash) for chain, head in read.heads.items()}


def check_place(file: Path) -> None:
    """Before a long proof: a file with no directory to be in ends the program with status 2."""
    if not file.parent.is_dir():
        fail(say("no_place", file=file, directory=file.parent), status=2)


def write_heads(file: Path, proof: Proof) -> None:
    """Whole or not at all, and on the disk: what was there before is replaced. A fault ends the program with status
    1."""
    content = msgspec.json.format(
        msgspec.json.encode({"proved_at": datetime.now(UTC), "heads": heads_data(proof.heads)})
    )
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with beside.open("wb") as opened:
            opened.write(content + b"\n")
            opened.flush()
            os.fsync(opened.fileno())
        beside.replace(file)
    except OSError as problem:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        fail(say("cannot_write", file=file, reason=problem.strerror))
