"""How long a bank keeps what it knows of a customer after the relationship has ended.

Texts: 2007 No. 2 (金融机构客户身份识别和客户身份资料及交易记录保存管理办法), the revised AML Law (反洗钱法).
Both figures are recalled and are to be checked against the official text.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Retention:
    since: date
    years: int
    text: str
    verified: bool


RETENTIONS = (
    Retention(date(2007, 8, 1), 5, "中国人民银行等令〔2007〕第2号", False),
    Retention(date(2025, 1, 1), 10, "反洗钱法 (2024)", False),
)


def retention_on(day: date) -> Retention | None:
    """What binds on that day, None before the first rule."""
    return max((rule for rule in RETENTIONS if rule.since <= day), key=lambda rule: rule.since, default=None)
