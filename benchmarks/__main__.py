"""Every benchmark, one after the other, or those that are named; then the tables of ``docs/performance.md``.

What else is given goes to each of the benchmarks.
"""

import argparse
import pkgutil
import subprocess
import sys

import benchmarks
from benchmarks import tables
from benchmarks.peers import installed

NAMES = ("runs", "sizes", "guards", "paging", "scale", "peers")
"""In this order."""
PEERS = "peers"
"""Measured with all where they are installed, which ``make bench-peers`` does."""


def known() -> list[str]:
    """Those that are there."""
    there = {module.name for module in pkgutil.iter_modules(benchmarks.__path__)}
    return [name for name in NAMES if name in there]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known())}; all of them if none")
    given, others = parser.parse_known_args()
    if unknown := set(given.names) - set(known()):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(known())}")
    codes = [
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *others]).returncode for name in _wanted(given)
    ]
    tables.main()
    return max(codes)


def _wanted(given: argparse.Namespace) -> list[str]:
    there = [name for name in known() if name != PEERS or installed.there()]
    return [name for name in known() if name in (given.names or there)]


if __name__ == "__main__":
    sys.exit(main())
