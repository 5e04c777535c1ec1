"""How fast the platform is, as ratios measured in one run.

    make bench                       every row
    make bench ARGS="sign_up"        some of them
    make bench ARGS="--quick"        a rough look
    make bench ARGS="--markdown"     also refresh the table in docs/performance.md
    make bench ARGS="--list"         their names

It ends with 0 also when a bar is missed: the figures are for people to judge.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence

from benchmarks import table
from benchmarks.bench import Bench
from benchmarks.row import Figure, Row
from benchmarks.rows import all_rows


def main() -> int:
    rows = all_rows()
    options = _options(rows)
    if options.list:
        for row in rows:
            print(f"{row.name:20} {row.title}")
        return 0
    if "DATABASE_URL" not in os.environ:
        sys.exit("Start it with its servers: python -m tests.servers -- python -m benchmarks")
    chosen = [row for row in rows if not options.rows or row.name in options.rows]
    around = table.circumstances(quick=options.quick, load=os.getloadavg()[0])
    print(f"{around}\n\n{table.heading()}", flush=True)
    figures = _measure(chosen, quick=options.quick)
    if options.markdown:
        table.refresh_document(figures, around)
    return 0


def _options(rows: Sequence[Row]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="How fast the platform is.")
    parser.add_argument("rows", nargs="*", metavar="row", help="names of rows; all when none is given")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--markdown", action="store_true", help="refresh the table in docs/performance.md")
    parser.add_argument("--list", action="store_true", help="only print the names of the rows")
    options = parser.parse_args()
    if unknown := set(options.rows) - {row.name for row in rows}:
        parser.error(f"no row {', '.join(sorted(unknown))}; the rows are {', '.join(row.name for row in rows)}")
    if options.markdown and options.rows:
        parser.error("the table in the document is written whole: --markdown takes no rows")
    return options


def _measure(rows: Sequence[Row], *, quick: bool) -> list[Figure]:
    beginning = time.monotonic()
    figures: list[Figure] = []
    bench = Bench(quick=quick)
    try:
        for row in rows:
            for figure in row.measure(bench):
                figures.append(figure)
                print(table.text(figure), flush=True)
    finally:
        bench.close()
    print(f"\n{len(figures)} figures in {time.monotonic() - beginning:.0f} s.")
    return figures


if __name__ == "__main__":
    sys.exit(main())
