"""``./tests/run fuzz [NAME] [MINUTES]``: fuzz one target, or each of them, for so many minutes (one, if nothing is said).

``--case N`` tries one case, as the report of a failure names it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from random import SystemRandom

HERE = Path(__file__).resolve().parent
sys.path[:1] = [str(HERE.parent), str(HERE.parents[1] / "tui"), str(HERE.parents[1] / "lab")]

from fuzz.campaign import for_minutes, numbered  # noqa: E402  (the folders above must be on the path first)
from fuzz.every import TARGETS  # noqa: E402


def main() -> int:
    """1 when anything was found."""
    words = argparse.ArgumentParser(prog="tests/run fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(TARGETS)}; a number is the minutes for each")
    words.add_argument("--case", type=int, metavar="N", help="only this case")
    asked = words.parse_args()
    minutes = next((float(word) for word in asked.names if word not in TARGETS and word.replace(".", "", 1).isdecimal()), 1.0)
    names = [word for word in asked.names if word in TARGETS] or list(TARGETS)
    if strange := [word for word in asked.names if word not in TARGETS and not word.replace(".", "", 1).isdecimal()]:
        words.error(f"there is no target {strange[0]}: {', '.join(TARGETS)}")
    found = 0
    for name in names:
        if asked.case is not None:
            findings = tuple(finding for finding in numbered(TARGETS[name], iter((asked.case,))) if finding is not None)
            tried, first = 1, asked.case
        else:
            first = SystemRandom().randrange(1 << 40)
            tried, findings = for_minutes(TARGETS[name], minutes, first)
        print(f"{name}: {tried} cases from {first} on, {len(findings)} findings", flush=True)
        for finding in findings:
            print(finding, flush=True)
        found += len(findings)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
