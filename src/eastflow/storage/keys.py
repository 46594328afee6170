"""The bank's secret keys, kept in a file beside the database and never in it, and what is sealed with them.

Envelope encryption: whatever is kept secret has a data key of its own, which lies in the database wrapped by one of
the wrapping keys of this file. AES-256-GCM (NIST SP 800-38D) for both; HMAC-SHA256 (RFC 2104) under a key of its own
for what must be found again without being read.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import secrets
import tempfile
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .faults import KeyFault

KEY_BYTES = 32
NONCE_BYTES = 12
INDEX = "index"
KEPT_SECONDS = 60
KEPT_MAX = 64
_HEAD = "# The keys of a bank. Whoever has lost this file has lost the personal data; whoever has it can read them.\n"


def new_data_key() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


def seal(data_key: bytes, plain: bytes, place: bytes) -> bytes:
    """Encrypted, and bound to its place: put elsewhere it cannot be unsealed."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(data_key).encrypt(nonce, plain, place)


def unseal(data_key: bytes, sealed: bytes, place: bytes) -> bytes:
    """Errors: KeyFault when it was sealed with another key or in another place, or has been changed."""
    try:
        return AESGCM(data_key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place)
    except (InvalidTag, ValueError) as problem:
        raise KeyFault(f"what is sealed as {place.decode()} cannot be unsealed with the keys of this bank") from problem


class Keys:
    """The wrapping keys by number, of which the last one wraps, and the key of the blind indexes.

    `Keys.open(file)` reads a file or makes it; `Keys.random()` are in memory only, for what does not outlive a process.
    """

    def __init__(self, index: bytes, wrapping: dict[int, bytes], path: Path | None = None) -> None:
        self._index = index
        self._wrapping = wrapping
        self._path = path
        self._written = _written_at(path)

    @classmethod
    def random(cls) -> Keys:
        return cls(new_data_key(), {1: new_data_key()})

    @classmethod
    def open(cls, path: Path) -> Keys:
        """A file that is not there is made, readable by its owner only. Errors: KeyFault."""
        try:
            if not path.exists():
                _write_new(path, cls.random()._text())
            return cls(*_parsed(path.read_text(encoding="ascii")), path)
        except (OSError, ValueError) as problem:
            raise KeyFault(f"{path} cannot be used as a key file: {problem}") from problem

    @property
    def current(self) -> int:
        """The number of the key that wraps from now on."""
        return max(self._wrapping)

    def wrap(self, data_key: bytes, place: bytes) -> tuple[int, bytes]:
        """The number of the wrapping key, and the data key wrapped by it. Errors: KeyFault.

        Another process may have added a key: then the file is read again, so that nothing is wrapped by an old one.
        """
        if _written_at(self._path) != self._written:
            self._read_again()
        return self.current, seal(self._wrapping[self.current], data_key, place)

    def unwrap(self, number: int, wrapped: bytes, place: bytes) -> bytes:
        """Errors: KeyFault. A number not known yet may have been added by another process: the file is read again."""
        if number not in self._wrapping:
            self._read_again()
        if number not in self._wrapping:
            raise KeyFault(f"the wrapping key {number} is not among the keys of this bank")
        return unseal(self._wrapping[number], wrapped, place)

    def digest(self, kind: str, text: str) -> bytes:
        """The blind index of a text: the same for the same text of the same kind, and telling nothing of it."""
        return hmac.new(self._index, f"{kind}\0{text}".encode(), hashlib.sha256).digest()

    def add_wrapping_key(self) -> int:
        """The number of a new key, which wraps from now on. Errors: KeyFault."""
        with self._alone():
            return self._change({**self._wrapping, self.current + 1: new_data_key()})

    def drop_wrapping_keys(self, last: int) -> None:
        """Forget all but this last one: nothing may be wrapped by the others any more, nor about to be.

        Errors: KeyFault, also when another process has added a key meanwhile.
        """
        with self._alone():
            if self.current != last:
                raise KeyFault("a wrapping key was added in the same moment: run this again")
            self._change({last: self._wrapping[last]})

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process changes the file at a time, and it changes what is in the file now."""
        if self._path is None:
            yield
            return
        with self._path.with_name(f"{self._path.name}.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self._read_again()
            yield

    def _change(self, wrapping: dict[int, bytes]) -> int:
        changed = Keys(self._index, wrapping, self._path)
        if self._path is not None:
            try:
                _replace(self._path, changed._text())
            except OSError as problem:
                raise KeyFault(f"{self._path} cannot be written: {problem}") from problem
        self._wrapping = wrapping
        self._written = _written_at(self._path)
        return self.current

    def _read_again(self) -> None:
        if self._path is not None:
            found = Keys.open(self._path)
            self._wrapping, self._written = found._wrapping, found._written

    def _text(self) -> str:
        lines = [f"{INDEX} {self._index.hex()}", *(f"{n} {key.hex()}" for n, key in sorted(self._wrapping.items()))]
        return _HEAD + "\n".join(lines) + "\n"


class KeptDataKeys:
    """Data keys that a process has unwrapped lately, so that it need not read them each time. Each is kept for a
    minute, and only a few are: whoever deletes one is obeyed by then."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[bytes, int]] = {}

    def get(self, name: Hashable) -> bytes | None:
        data_key, until = self._kept.get(name, (None, 0))
        return data_key if time.monotonic_ns() < until else None

    def keep(self, name: Hashable, data_key: bytes) -> None:
        """What is in the database for good: never a key that the transaction at hand has made itself."""
        if len(self._kept) >= KEPT_MAX:
            self._kept.clear()
        self._kept[name] = data_key, time.monotonic_ns() + KEPT_SECONDS * 1_000_000_000


def _parsed(text: str) -> tuple[bytes, dict[int, bytes]]:
    """Errors: ValueError."""
    index, wrapping = b"", {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, _, digits = line.strip().partition(" ")
        key = bytes.fromhex(digits)
        if len(key) != KEY_BYTES:
            raise ValueError(f"the key {name} does not have {KEY_BYTES} bytes")
        if name == INDEX:
            index = key
        else:
            wrapping[int(name)] = key
    if not (index and wrapping):
        raise ValueError("it has no index key or no wrapping key")
    return index, wrapping


def _written_at(path: Path | None) -> int:
    try:
        return 0 if path is None else path.stat().st_mtime_ns
    except OSError:
        return 0


def _write_new(path: Path, text: str) -> None:
    """Whole or not at all; of two processes that start at once, the first one's file stands."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = _written_beside(path, text)
    try:
        with suppress(FileExistsError):
            os.link(written, path)
    finally:
        written.unlink()


def _replace(path: Path, text: str) -> None:
    _written_beside(path, text).replace(path)


def _written_beside(path: Path, text: str) -> Path:
    """On the disk, and readable by its owner only, as `mkstemp` makes it."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)
