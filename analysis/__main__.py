"""`python -m analysis`."""

import sys

from analysis.cli import main
from crawler import console


def _status() -> int:
    try:
        status = main()
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        return console.reader_left()
    except KeyboardInterrupt:
        return console.interrupted()


if __name__ == "__main__":
    sys.exit(_status())
