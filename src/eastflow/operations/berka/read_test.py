"""Good rows are kept, bad ones refused by their line, and a file that is missing or of another form stops all."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from .read import HEADERS, Source, SourceRefused, read
from .records import Frequency, Operation, Refused, Sex, Symbol, TransactionType
from .sample import FILES, write_files


def test_every_file_is_read(tmp_path: Path) -> None:
    source = read(write_files(tmp_path))
    assert source.refused == ()
    assert source.districts[69].unemployment_1995_basis_points is None
    assert source.districts[1].urban_inhabitants_basis_points == 10_000
    assert source.accounts[8].frequency is Frequency.AFTER_TRANSACTION
    assert source.clients[1].sex is Sex.FEMALE
    assert source.owners() == {7: 1, 8: 2}
    assert source.orders[21].other_account == "087144583"
    assert source.cards[31].issued_on == date(1993, 11, 7)
    assert source.loans[41].amount_minor == 9_639_600
    second = source.transactions[1]
    assert (second.line, second.trans_id, second.account_id) == (3, 102, 7)
    assert (second.type, second.operation) == (TransactionType.DEBIT, Operation.TO_OTHER_BANK)
    assert (second.signed_amount_minor, second.balance_minor) == (-25_250, 44_750)
    assert (second.symbol, second.other_bank, second.other_account) == (Symbol.HOUSEHOLD, "YZ", "087144583")


GOOD = '109;7;930201;"PRIJEM";"VKLAD";1.00;1.00;"";;'

BAD_ROWS = [
    ("trans", "", "1 fields instead of 10"),
    ("trans", '1;7;930101;"PRIJEM"', "4 fields instead of 10"),
    ("trans", GOOD + ";", "11 fields instead of 10"),
    ("trans", GOOD.replace('"VKLAD"', '"VKLAD'), "stray or unclosed quote"),
    ("trans", GOOD.replace("VKLAD", "DEPOSIT"), "unknown operation 'DEPOSIT'"),
    ("trans", GOOD.replace("PRIJEM", "IN"), "unknown type 'IN'"),
    ("trans", GOOD.replace(";7;", ";99;"), "unknown account_id 99"),
    ("trans", GOOD.replace("1.00;1.00", "0.00;1.00"), "must be above zero"),
    ("trans", GOOD.replace("1.00;1.00", "1.00;x"), "balance 'x' is not a number"),
    ("trans", GOOD.replace("930201", "930229"), "not a date"),
    ("trans", GOOD.replace("109", "101"), "trans_id 101 was given on an earlier line"),
    ("trans", GOOD.replace("109", "0"), "trans_id must be above zero"),
    ("trans", GOOD.replace(";;", ';"ZZ";'), "unknown bank 'ZZ'"),
    ("account", '9;5;"POPLATEK MESICNE";930101', "unknown district_id 5"),
    ("client", '9;"701313";1', "not a date"),
    ("disp", '19;3;7;"OWNER"', "account_id 7 has an owner already"),
    ("disp", '19;9;7;"DISPONENT"', "unknown client_id 9"),
    ("order", '29;7;"YZ";"1";-5.00;"SIPO"', "must be above zero"),
    ("card", '39;99;"gold";931107 00:00:00', "unknown disp_id 99"),
    ("loan", '49;7;930705;96396;0;8033.00;"B"', "duration must be above zero"),
    ("district", '2;"";"Prague";1;0;0;0;1;1;100.0;1;0.29;0.43;1;1;1', "A2 is empty"),
]


@pytest.mark.parametrize(("file", "row", "reason"), BAD_ROWS)
def test_a_bad_row_is_refused_by_its_line_and_its_neighbours_kept(
    tmp_path: Path, file: str, row: str, reason: str
) -> None:
    usual = FILES[f"{file}.asc"][1:]
    after = {"trans": [GOOD.replace("109", "110")]}.get(file, [])
    source = read(write_files(tmp_path, **{file: [*usual, row, *after]}))
    assert [(refused.file, refused.line) for refused in source.refused] == [(f"{file}.asc", len(usual) + 2)]
    assert reason in source.refused[0].reason
    assert len(source.transactions) == 3 + len(after)
    assert (len(source.districts), len(source.accounts), len(source.clients), len(source.dispositions)) == (2, 2, 3, 3)


def test_rows_that_lean_on_a_refused_row_are_refused_too(tmp_path: Path) -> None:
    source = read(write_files(tmp_path, account=['7;1;"YEARLY";930101', FILES["account.asc"][2]]))
    files = [refused.file for refused in source.refused]
    assert files == ["account.asc", "disp.asc", "order.asc", "loan.asc", "trans.asc", "trans.asc"]
    assert [row.trans_id for row in source.transactions] == [103]


def test_bytes_that_are_no_text_refuse_only_their_row(tmp_path: Path) -> None:
    write_files(tmp_path)
    with (tmp_path / "trans.asc").open("ab") as stream:
        stream.write(b"110;7;\xff\r\n" + GOOD.encode() + b"\r\n")
    source = read(tmp_path)
    assert source.refused == (Refused("trans.asc", 5, "not UTF-8 text at byte 7"),)
    assert len(source.transactions) == 4


@pytest.mark.parametrize("kept", range(1, len(GOOD) + 2))
def test_a_last_row_cut_anywhere_is_refused(tmp_path: Path, kept: int) -> None:
    write_files(tmp_path)
    with (tmp_path / "trans.asc").open("ab") as stream:
        stream.write(f"{GOOD}\r\n".encode()[:kept])
    source = read(tmp_path)
    assert [(refused.line, refused.reason[:7]) for refused in source.refused] == [(5, "cut off")]
    assert len(source.transactions) == 3


def test_plain_line_ends_will_do(tmp_path: Path) -> None:
    for file in write_files(tmp_path).iterdir():
        file.write_bytes(file.read_bytes().replace(b"\r\n", b"\n"))
    assert read(tmp_path).refused == ()


@pytest.mark.parametrize("file", sorted(HEADERS))
def test_a_missing_file_or_another_header_stops_the_reading(tmp_path: Path, file: str) -> None:
    write_files(tmp_path)
    text = (tmp_path / file).read_text()
    (tmp_path / file).write_text(text.split("\n", 1)[1])
    with pytest.raises(SourceRefused, match=f"{file} line 1: the header must be"):
        read(tmp_path)
    (tmp_path / file).unlink()
    with pytest.raises(SourceRefused, match=f"has no {file}"):
        read(tmp_path)


def test_the_real_files_lose_nothing_but_the_row_cut_off(berka: Source) -> None:
    assert berka.refused == (Refused("trans.asc", 49_104, "cut off: no line end after 4 of 10 fields"),)
    assert len(berka.transactions) == 49_102
    assert (len(berka.districts), len(berka.accounts), len(berka.clients)) == (77, 4_500, 5_369)
    assert (len(berka.dispositions), len(berka.orders), len(berka.cards), len(berka.loans)) == (5_369, 6_471, 892, 682)
    assert len(berka.owners()) == 4_500
