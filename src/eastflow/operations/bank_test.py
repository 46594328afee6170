"""Opening a bank: what its settings may be, whom its server belongs to, and what must not be touched."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from eastflow.customers import parties_page
from eastflow.operations import AlreadyServed, Settings, SettingsMalformed, fill_demo, open_bank, served_at, serving
from eastflow.storage import KeyFault, Keys, StorageFault, embedded, month_sealer
from eastflow.storage.embedded import EmbeddedServerFault


@pytest.fixture
def room() -> Iterator[Path]:
    # Not pytest's own folder: the server's user may not be allowed in there.
    made = Path(tempfile.mkdtemp(prefix="eastflow-bank-"))
    yield made
    embedded.stop(made / "bank")
    shutil.rmtree(made, ignore_errors=True)


def test_settings_are_the_usual_ones_unless_the_environment_says_otherwise() -> None:
    assert Settings.from_environment({}) == Settings(None, Path("data"), "127.0.0.1", 8080, 2)
    assert Settings.from_environment({"EASTFLOW_KEY_FILE": "/safe/keys"}) == Settings(key_file=Path("/safe/keys"))
    said = {"EASTFLOW_DATABASE_URL": "postgresql://db/bank", "EASTFLOW_PORT": "81", "EASTFLOW_LANES": "4"}
    assert Settings.from_environment(said) == Settings("postgresql://db/bank", port=81, lanes=4)
    for name, value in (
        ("EASTFLOW_CLOSES_DAYS", "perhaps"),
        ("EASTFLOW_PORT", "0"),
        ("EASTFLOW_PORT", "65536"),
        ("EASTFLOW_LANES", "-1"),
    ):
        with pytest.raises(SettingsMalformed, match=name):
            Settings.from_environment({name: value})


async def test_the_last_to_leave_stops_the_server(room: Path) -> None:
    settings = Settings(data_dir=room / "bank")
    async with open_bank(settings) as first:
        assert await fill_demo(first) == await fill_demo(first)
        async with open_bank(settings) as second:
            assert second.database.url == first.database.url
        assert embedded.running(settings.data_dir), "who leaves first leaves it to the other"
    assert embedded.running(settings.data_dir) is None


async def test_a_server_that_was_started_otherwise_goes_on(room: Path) -> None:
    server = embedded.start(room / "bank", memory_bytes=512 << 20)
    async with open_bank(Settings(data_dir=room / "bank")):
        with serving(room / "bank", "http://here"):
            assert served_at(room / "bank") == "http://here"
            with pytest.raises(AlreadyServed, match="http://here"), serving(room / "bank", "http://there"):
                pass
        assert served_at(room / "bank") is None
    assert embedded.running(room / "bank") == server.pid


async def test_a_directory_with_anything_else_in_it_is_left_as_it_is(room: Path) -> None:
    (room / "papers").mkdir(mode=0o755)
    (room / "papers" / "thesis.txt").write_text("years of work")
    before = [(path.stat().st_uid, path.stat().st_mode) for path in (room / "papers", room / "papers" / "thesis.txt")]
    with pytest.raises(EmbeddedServerFault, match=r"thesis\.txt"):
        async with open_bank(Settings(data_dir=room / "papers")):
            pass
    after = [(path.stat().st_uid, path.stat().st_mode) for path in (room / "papers", room / "papers" / "thesis.txt")]
    assert after == before
    with pytest.raises(EmbeddedServerFault, match="cannot hold"):
        async with open_bank(Settings(data_dir=room / "papers" / "thesis.txt" / "bank")):
            pass


async def test_a_database_that_cannot_be_reached_is_a_fault() -> None:
    with pytest.raises(StorageFault):
        async with open_bank(Settings("postgresql://127.0.0.1:port/bank")):
            pass


async def test_a_bank_that_has_sealed_payments_alone_is_not_opened_with_a_fresh_key_file(room: Path) -> None:
    settings = Settings(data_dir=room / "bank", key_file=room / "keys")
    assert settings.key_file is not None
    async with open_bank(settings) as bank:
        await bank.database.run(lambda tx: month_sealer(tx, "payments", date(2026, 1, 5)))
    settings.key_file.unlink()
    with pytest.raises(KeyFault, match="is not there"):
        async with open_bank(settings):
            pass
    Keys.open(settings.key_file)
    with pytest.raises(KeyFault, match="cannot be unsealed"):
        async with open_bank(settings):
            pass


async def test_a_bank_opens_with_its_own_keys_and_no_others(room: Path) -> None:
    settings = Settings(data_dir=room / "bank", key_file=room / "safe" / "keys")
    assert settings.key_file is not None
    async with open_bank(settings) as bank:
        await fill_demo(bank)
    assert settings.key_file.stat().st_mode & 0o777 == 0o600
    kept = settings.key_file.rename(room / "kept")
    with pytest.raises(KeyFault, match="is not there"):
        async with open_bank(settings):
            pass
    assert not settings.key_file.exists()
    Keys.open(settings.key_file)
    with pytest.raises(KeyFault, match="cannot be unsealed"):
        async with open_bank(settings):
            pass
    kept.rename(settings.key_file)
    async with open_bank(settings) as bank, bank.database.reading() as tx:
        assert (await parties_page(tx, limit=1))[0].name
