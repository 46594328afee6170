"""The reconciliation with the Czech bank's balances as a reader gets it: as data for JSON, and as a plain table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from .reconcile import Difference, Reconciliation
from .records import Refused

Json = dict[str, object]


def as_data(reconciliation: Reconciliation, refused: Sequence[Refused] = ()) -> Json:
    """Whole haléř and ISO dates only, so that any JSON writer keeps it exact."""
    return {
        "compared": reconciliation.compared,
        "exact": reconciliation.exact,
        "rounding": reconciliation.rounding,
        "unexplained": len(reconciliation.unexplained),
        "balance_equal": reconciliation.balance_equal,
        "balance_apart_by_rounding": reconciliation.balance_apart_by_rounding,
        "balance_apart_unexplained": reconciliation.balance_apart_unexplained,
        "widest_rounding_minor": reconciliation.widest_rounding_minor,
        "adjusted": 0,
        "unbooked_trans_ids": [row.trans_id for row in reconciliation.unbooked],
        "differences": [{**asdict(row), "date": row.date.isoformat()} for row in reconciliation.unexplained],
        "refused": [asdict(row) for row in refused],
    }


def as_table(reconciliation: Reconciliation, refused: Sequence[Refused] = ()) -> str:
    counts = [
        ("recorded balances compared", reconciliation.compared),
        ("  exact: follows to the haléř from the one before", reconciliation.exact),
        ("  rounding: 0.10 more or less", reconciliation.rounding),
        ("  unexplained: listed below", len(reconciliation.unexplained)),
        ("our balance equals the recorded one", reconciliation.balance_equal),
        ("apart by added-up rounding alone", reconciliation.balance_apart_by_rounding),
        ("apart after an unexplained difference", reconciliation.balance_apart_unexplained),
        ("transactions not booked", len(reconciliation.unbooked)),
        ("balances adjusted", 0),
        ("rows refused", len(refused)),
    ]
    lines = [f"{name:<50} {count:>8,}" for name, count in counts]
    lines.append(f"{'widest difference by rounding alone':<50} {_money(reconciliation.widest_rounding_minor):>8}")
    if reconciliation.unexplained:
        headings = (
            f"{'account':>8} {'trans':>8} {'line':>6} {'date':<10} {'recorded':>14} {'ours':>14} {'added':>12}  hint"
        )
        lines += ["", headings, *map(_row, reconciliation.unexplained)]
    if refused:
        lines += ["", *(f"refused: {row.file} line {row.line}: {row.reason}" for row in refused)]
    return "\n".join(lines) + "\n"


def _row(row: Difference) -> str:
    return (
        f"{row.account_id:>8} {row.trans_id:>8} {row.line:>6} {row.date.isoformat()} {_money(row.recorded_minor):>14}"
        f" {_money(row.ours_minor):>14} {_money(row.added_minor):>12}  {row.hint}"
    ).rstrip()


def _money(minor: int) -> str:
    """Koruna and haléř."""
    return f"{'-' if minor < 0 else ''}{abs(minor) // 100:,}.{abs(minor) % 100:02}"
