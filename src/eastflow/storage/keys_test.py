"""Keys: made once, kept from others, renewed; what is sealed is read with its key, in its place, unchanged, or not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .faults import KeyFault
from .keys import Keys, new_data_key, seal, unseal

PLACE = b"here"


@given(st.binary(max_size=300))
def test_what_is_sealed_is_unsealed(plain: bytes) -> None:
    key = new_data_key()
    sealed = seal(key, plain, PLACE)
    assert unseal(key, sealed, PLACE) == plain
    assert sealed != seal(key, plain, PLACE)


@pytest.mark.parametrize("wrong", ["key", "place", "changed", "cut", "empty"])
def test_nothing_else_is_unsealed(wrong: str) -> None:
    key = new_data_key()
    sealed = seal(key, b"Ann", PLACE)
    tried = {"changed": sealed[:-1] + bytes([sealed[-1] ^ 1]), "cut": sealed[:-1], "empty": b""}.get(wrong, sealed)
    with pytest.raises(KeyFault):
        unseal(new_data_key() if wrong == "key" else key, tried, b"there" if wrong == "place" else PLACE)


def test_the_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "keys"
    number, wrapped = Keys.open(path).wrap(b"data key", PLACE)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["keys"]
    again = Keys.open(path)
    assert again.unwrap(number, wrapped, PLACE) == b"data key"
    assert again.digest("name", "ann") == Keys.open(path).digest("name", "ann")


def test_another_process_learns_of_a_new_key(tmp_path: Path) -> None:
    one, other = Keys.open(tmp_path / "keys"), Keys.open(tmp_path / "keys")
    digest, old = one.digest("name", "ann"), one.wrap(b"old", PLACE)
    assert one.add_wrapping_key() == 2
    new = one.wrap(b"new", PLACE)
    assert other.unwrap(*new, PLACE) == b"new"
    assert (new[0], other.wrap(b"more", PLACE)[0], one.unwrap(*old, PLACE)) == (2, 2, b"old")
    one.drop_wrapping_keys(2)
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o600
    assert one.digest("name", "ann") == digest
    with pytest.raises(KeyFault, match="wrapping key 1"):
        one.unwrap(*old, PLACE)


def test_two_processes_that_add_keys_lose_none(tmp_path: Path) -> None:
    one, other = Keys.open(tmp_path / "keys"), Keys.open(tmp_path / "keys")
    assert (one.add_wrapping_key(), other.add_wrapping_key()) == (2, 3)
    wrapped = one.wrap(b"data key", PLACE)
    assert Keys.open(tmp_path / "keys").unwrap(*wrapped, PLACE) == b"data key"
    assert other.add_wrapping_key() == 4
    with pytest.raises(KeyFault, match="in the same moment"):
        one.drop_wrapping_keys(3)
    one.drop_wrapping_keys(4)
    assert Keys.open(tmp_path / "keys").current == 4


def test_digests_tell_kinds_and_banks_apart() -> None:
    bank, other = Keys.random(), Keys.random()
    digests = [bank.digest("name", "ann"), bank.digest("phone", "ann"), other.digest("name", "ann")]
    assert len({*digests}) == 3
    assert bank.digest("name", "ann") == digests[0]


@pytest.mark.parametrize(
    "text", ["", "index 00", "1 " + "0" * 64, "index " + "0" * 64, "one " + "0" * 64 + "\nindex " + "0" * 64, "\xff"]
)
def test_a_file_that_holds_no_keys_is_a_fault(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys"
    path.write_text(text)
    with pytest.raises(KeyFault, match="cannot be used as a key file"):
        Keys.open(path)


def test_a_place_that_cannot_be_written_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KeyFault):
        Keys.open(tmp_path / "file" / "keys")
