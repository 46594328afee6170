"""What is counted: a currency or a named token, with the number of decimals of its smallest unit."""

from __future__ import annotations

import re
from dataclasses import dataclass

SCALE_MAX = 9
_CODE = re.compile(r"[A-Z][A-Z0-9]{2,15}")

_CURRENCIES_BY_SCALE = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC "
        "CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR "
        "JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD "
        "NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN "
        "SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF",
}
CURRENCY_SCALES: dict[str, int] = {
    code: scale for scale, codes in _CURRENCIES_BY_SCALE.items() for code in codes.split()
}
"""ISO 4217 codes and their minor digits. The digits were compared with the Java runtime's table of ISO 4217; which
codes are in force today is recalled, not checked against the standard's current list."""


@dataclass(frozen=True, slots=True)
class Asset:
    """`Asset("CZK", 2)`: amounts of it are whole hundredths of a koruna. A named token has up to 9 decimals."""

    code: str
    scale: int


def is_asset(code: str, scale: int) -> bool:
    """A well-formed code and scale; a code of ISO 4217 keeps the standard's scale."""
    if not (_CODE.fullmatch(code) and 0 <= scale <= SCALE_MAX):
        return False
    return CURRENCY_SCALES.get(code, scale) == scale


def decimal_text(amount_minor: int, scale: int) -> str:
    """Whole minor units as people write them: `decimal_text(-5, 2)` is `-0.05`."""
    sign, digits = ("-" if amount_minor < 0 else ""), str(abs(amount_minor)).rjust(scale + 1, "0")
    return f"{sign}{digits[:-scale]}.{digits[-scale:]}" if scale else f"{sign}{digits}"
