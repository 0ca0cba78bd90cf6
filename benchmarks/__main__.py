"""python -m benchmarks [NAME] [options]; the names are in NAMES. Without one, all of them."""

from __future__ import annotations

import importlib
import sys

NAMES = (
    "pages", "outcomes", "storage", "replay", "boards", "growth", "world", "analysis", "text", "creators", "deals",
    "matching", "archive", "api", "crawl", "drift", "revisit", "due",
)  # fmt: skip


def main() -> int:
    name, arguments = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("all", [])
    if name != "all" and name not in NAMES:
        sys.stderr.write(f"no benchmark {name!r}; there are {', '.join(NAMES)}\n")
        return 2
    for each in NAMES if name == "all" else (name,):
        importlib.import_module(f"benchmarks.{each}").main(arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
