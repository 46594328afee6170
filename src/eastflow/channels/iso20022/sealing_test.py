"""Contents of messages: none is plain in the table, each comes back to the byte, old ones are sealed and stay known."""

from __future__ import annotations

import asyncio
import hashlib

from eastflow.channels.iso20022 import store
from eastflow.channels.iso20022.actions import seal_plain_messages
from eastflow.channels.iso20022.conftest import Bank, Paid, pain001
from eastflow.channels.iso20022.model import Direction, Message, Received
from eastflow.storage import Transaction

RAW = [pain001([Paid(name="", remittance=f"secret {number}")], id=f"M{number}").encode() for number in range(5)]


async def kept(bank: Bank) -> list[Message]:
    async with bank.database.reading() as tx:
        return await store.messages(tx, direction=Direction.RECEIVED)


async def rows(bank: Bank) -> str:
    async with bank.database.reading() as tx:
        return str(await tx.rows("SELECT * FROM iso20022_message"))


async def test_contents_are_sealed_and_come_back_to_the_byte(bank: Bank) -> None:
    first = [await bank.send(raw, "company") for raw in RAW]
    assert sorted(each.content for each in await kept(bank)) == RAW
    assert "secret" not in await rows(bank)
    async with bank.database.reading() as tx:
        plain = await tx.value("SELECT count(*) FROM iso20022_message WHERE content_hash = $1", sha256(RAW[0]))
    assert plain == 0, "the hash alone would let a message be guessed"
    again = await bank.send(RAW[0], "company")
    assert isinstance(again, Received)
    assert isinstance(first[0], Received)
    assert (again.replayed, again.answer) == (True, first[0].answer)


async def test_messages_kept_plain_are_known_before_and_after_they_are_sealed(bank: Bank) -> None:
    for raw in RAW:
        await bank.send(raw, "company")
    answers = {each.id: each.content for each in await all_kept(bank)}

    async def as_before(tx: Transaction) -> None:
        for id, content in answers.items():
            query = "UPDATE iso20022_message SET sealed = NULL, content = $2, content_hash = $3 WHERE id = $1"
            await tx.execute(query, id, content, sha256(content))

    async def known() -> bool:
        again, other = await bank.send(RAW[0], "company"), await bank.send(RAW[0] + b" ", "company")
        assert isinstance(again, Received)
        assert isinstance(other, Received)
        return again.replayed and not other.replayed

    async def step() -> int:
        return await bank.database.run(lambda tx: seal_plain_messages(tx, limit=3))

    await bank.database.run(as_before)
    assert "secret" in await rows(bank)
    assert await known()
    assert max(await asyncio.gather(step(), step())) == 3
    while await step():
        pass
    assert "secret" not in await rows(bank)
    assert {each.id: each.content for each in await all_kept(bank)} == answers
    assert await known()


async def all_kept(bank: Bank) -> list[Message]:
    async with bank.database.reading() as tx:
        return await store.messages(tx)


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
