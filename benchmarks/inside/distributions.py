"""Lists the installed distributions with their sizes in bytes; runs in the peer's interpreter."""

from __future__ import annotations

import json
from importlib.metadata import Distribution, distributions
from pathlib import Path

# They come with the environment, not with the library.
OF_THE_ENVIRONMENT = {"pip", "setuptools", "wheel"}


def main() -> None:
    """Print a mapping of names to sizes."""
    found = {distribution.metadata["Name"]: size(distribution) for distribution in distributions()}
    print(json.dumps({name: total for name, total in found.items() if name not in OF_THE_ENVIRONMENT}))


def size(distribution: Distribution) -> int:
    """Bytes of the files that belong to a distribution, without byte code."""
    listed = [file for file in distribution.files or () if file.suffix != ".pyc"]
    paths = {Path(str(distribution.locate_file(file))) for file in listed}
    return sum(path.stat().st_size for path in paths if path.is_file())


if __name__ == "__main__":
    main()
