"""What a dyno carries: megabytes on disk of every package of requirements.txt, and of the code. `make slug`."""

from __future__ import annotations

import re
import subprocess
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT_MB = 500  # Heroku's, of the compressed slug
COMPRESSED = 0.31  # of packages on disk: pyarrow, playwright, scipy, vl_convert, numpy, pandas, sklearn, eld by gzip -6


def main() -> None:
    names = re.findall(r"^([\w.-]+)==", (ROOT / "requirements.txt").read_text(), flags=re.M)
    sizes = {name: size for name in names if (size := package_bytes(name)) is not None}
    code = sum((ROOT / name).stat().st_size for name in tracked())
    for name, size in sorted(sizes.items(), key=lambda pair: -pair[1])[:15]:
        print(f"{name:28} {size / 1e6:8.1f} MB")
    total = sum(sizes.values()) + code
    print(f"{'code':28} {code / 1e6:8.1f} MB")
    print(f"{'all':28} {total / 1e6:8.1f} MB on disk, {len(sizes)} of {len(names)} packages found here")
    print(f"{'slug, about':28} {total * COMPRESSED / 1e6:8.1f} MB compressed, of {LIMIT_MB} MB allowed")


def package_bytes(name: str) -> int | None:
    try:
        files = distribution(name).files or []
    except PackageNotFoundError:
        return None
    paths = (Path(str(each.locate())) for each in files)
    return sum(path.stat().st_size for path in paths if path.is_file())


def tracked() -> list[str]:
    """Files of the repository that .slugignore lets through."""
    out = [line.strip("/") for line in (ROOT / ".slugignore").read_text().splitlines() if line.startswith("/")]
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split(
        "\n"
    )
    return [each for each in listed if each and not any(each == skip or each.startswith(f"{skip}/") for skip in out)]


if __name__ == "__main__":
    main()
