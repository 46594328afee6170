"""Runs a benchmark by its name: `python -m eastflow_bench two-engines --json`."""

from __future__ import annotations

import runpy
import sys

from . import MODULES


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in MODULES:
        print(f"usage: python -m {__package__} {{{','.join(MODULES)}}} [--json] [--quick]", file=sys.stderr)
        raise SystemExit(2)
    name = sys.argv.pop(1)
    runpy.run_module(f"{__package__}.{MODULES[name]}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
