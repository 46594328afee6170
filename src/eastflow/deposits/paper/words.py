"""The words of a statement in each language, and the font that has its signs. No font file is needed: every reader of
PDF knows these two by name, and the signs of English are in both."""

from __future__ import annotations

from collections.abc import Mapping

CHINESE_FONT, KOREAN_FONT = "STSong-Light", "HYSMyeongJo-Medium"
WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "font": CHINESE_FONT, "title": "Statement of account", "account": "Account", "owner": "Owner",
        "product": "Product", "period": "Period", "opening": "Opening balance", "closing": "Closing balance",
        "date": "Date", "what": "Entry", "amount": "Amount", "balance": "Balance", "page": "Page",
        "printed": "Printed on", "pledged": "Of which pledged",
    },
    "zh-Hans": {
        "font": CHINESE_FONT, "title": "账户对账单", "account": "账号", "owner": "户名", "product": "产品",
        "period": "期间", "opening": "期初余额", "closing": "期末余额", "date": "日期", "what": "摘要",
        "amount": "金额", "balance": "余额", "page": "页码", "printed": "打印日期", "pledged": "其中质押",
    },
    "ko": {
        "font": KOREAN_FONT, "title": "계좌 거래 명세서", "account": "계좌번호", "owner": "예금주", "product": "상품",
        "period": "기간", "opening": "기초 잔액", "closing": "기말 잔액", "date": "일자", "what": "적요",
        "amount": "금액", "balance": "잔액", "page": "쪽", "printed": "인쇄일", "pledged": "질권 설정액",
    },
}  # fmt: skip
KINDS: Mapping[str, Mapping[str, str]] = {
    "deposit": {"en": "Deposit", "zh-Hans": "存款", "ko": "입금"},
    "withdrawal": {"en": "Withdrawal", "zh-Hans": "取款", "ko": "출금"},
    "interest": {"en": "Interest", "zh-Hans": "结息", "ko": "이자"},
    "interest_correction": {"en": "Interest corrected", "zh-Hans": "利息调整", "ko": "이자 정정"},
    "overdraft_interest": {"en": "Overdraft interest", "zh-Hans": "透支利息", "ko": "마이너스 대출 이자"},
    "overdraft_interest_correction": {
        "en": "Overdraft interest corrected",
        "zh-Hans": "透支利息调整",
        "ko": "마이너스 대출 이자 정정",
    },
    "transfer": {"en": "Transfer", "zh-Hans": "转账", "ko": "이체"},
    "inheritance": {"en": "Inheritance", "zh-Hans": "继承", "ko": "상속"},
    "fee": {"en": "Fee", "zh-Hans": "手续费", "ko": "수수료"},
    "bonus": {"en": "Bonus", "zh-Hans": "奖励", "ko": "보너스"},
}


def kind_word(kind: str, language: str) -> str:
    """A fee and a bonus have a name of their own, which the terms give: `fee.keeping` is `Fee keeping`."""
    family, _, name = kind.partition(".")
    word = KINDS.get(family, {}).get(language)
    return kind if word is None else f"{word} {name}".rstrip()
