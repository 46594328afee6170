"""Every message in every language, with the same facts; and the language a person asked for."""

from __future__ import annotations

import ast
from pathlib import Path
from string import Formatter

import pytest

from eastflow.channels.cli.messages import ENGLISH, LANGUAGES, say

PACKAGE = Path(__file__).parents[2]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_lacks_a_language_or_a_fact(language: str) -> None:
    texts = LANGUAGES[language]
    assert texts.keys() == ENGLISH.keys()
    assert {key: facts_of(texts[key]) for key in texts} == {key: facts_of(ENGLISH[key]) for key in ENGLISH}
    assert language == "en" or [key for key in texts if texts[key].isascii()] == []


def facts_of(text: str) -> set[tuple[str, str, str]]:
    return {(name, form or "", how or "") for _, name, form, how in Formatter().parse(text) if name is not None}


def test_every_message_is_said_and_none_is_unknown() -> None:
    said = set()
    for path in [*PACKAGE.glob("channels/cli/*.py"), PACKAGE / "main.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say":
                # A choice of two is written as `a if … else b`.
                said |= {each.value for each in ast.walk(node.args[0]) if isinstance(each, ast.Constant)}
    assert said >= ENGLISH.keys()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("zh", "可选：x"), ("zh-CN", "可选：x"), ("zh_CN.UTF-8", "可选：x"), ("ko", "선택 가능한 값: x"),
        ("KO-kr", "선택 가능한 값: x"), ("en", "one of x"), ("de", "one of x"), ("", "one of x"), (None, "one of x"),
    ],
)  # fmt: skip
def test_the_language_is_the_one_asked_for(monkeypatch: pytest.MonkeyPatch, asked: str | None, expected: str) -> None:
    if asked is None:
        monkeypatch.delenv("EASTFLOW_LANGUAGE", raising=False)
    else:
        monkeypatch.setenv("EASTFLOW_LANGUAGE", asked)
    assert say("one_of", choices="x") == expected
