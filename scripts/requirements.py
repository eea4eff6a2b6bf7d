"""Write what would otherwise list the workspace's folders a second time.

    python scripts/requirements.py              local.txt, dev.txt and the marked tables of pyproject.toml
    python scripts/requirements.py --check      write nothing; name what is stale, and fail if anything is
    python scripts/requirements.py --pin        also constraints.txt: keep the pins that still fit (needs uv)
    python scripts/requirements.py --upgrade    also constraints.txt, everything at its newest (needs uv)

Needs nothing but Python 3.11 or newer (on 3.10 also tomli), except where uv is mentioned.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "# written by scripts/requirements.py\n", "# end\n"
HEAD = """\
# {what}, from the repository's root:
#     pip install -r requirements/{name}
# Written by scripts/requirements.py.
-c constraints.txt
"""


def folders() -> list[Path]:
    """Every distribution's folder, the core first and the meta-distribution last."""
    plugins = sorted(path.parent for path in ROOT.glob("plugins/[!_]*/*/pyproject.toml"))
    return [ROOT / "core", *plugins, ROOT]


def read(folder: Path) -> dict[str, Any]:
    """The folder's ``pyproject.toml``."""
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))


def name_of(requirement: str) -> str:
    """The distribution that a requirement names, normalised."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement, maxsplit=1)[0]).lower()


def is_ours(requirement: str) -> bool:
    """Whether the requirement names a distribution of this repository."""
    return name_of(requirement) == "dovetail" or name_of(requirement).startswith("dovetail-")


def requirements_of(folder: Path) -> Iterator[str]:
    """Everything the folder's distribution asks for: dependencies, extras and groups."""
    document = read(folder)
    project = document["project"]
    yield from project["dependencies"]
    for extra in project.get("optional-dependencies", {}).values():
        yield from extra
    for group in document.get("dependency-groups", {}).values():
        yield from group


def third_party() -> list[str]:
    """Every requirement in the workspace that is not a distribution of ours."""
    return sorted({wanted for folder in folders() for wanted in requirements_of(folder) if not is_ours(wanted)})


def tools() -> list[str]:
    """The third-party requirements of the dependency groups: the tools of development and tests."""
    groups = [group for folder in folders() for group in read(folder).get("dependency-groups", {}).values()]
    return sorted({wanted for group in groups for wanted in group if not is_ours(wanted)})


def local() -> str:
    """``local.txt``: the checkout's distributions, installed as they are."""
    return HEAD.format(what="Every distribution of this checkout", name="local.txt") + "".join(
        f"{place(folder)}\n" for folder in folders()
    )


def dev() -> str:
    """``dev.txt``: the checkout's distributions, editable, and the tools to work on them."""
    editable = [f"-e {place(folder)}{'[testing]' if folder.name == 'core' else ''}\n" for folder in folders()]
    head = HEAD.format(what="This checkout to work on, with every tool", name="dev.txt")
    return head + "".join(editable) + "".join(f"{tool}\n" for tool in tools())


def place(folder: Path) -> str:
    """The folder as pip takes it: relative to the root, and visibly a path."""
    return f"./{folder.relative_to(ROOT).as_posix()}".removesuffix("/.")


def tables() -> str:
    """The extras of the meta-distribution, and uv's table of where each distribution comes from."""
    projects = {document["project"]["name"]: document["project"] for document in map(read, folders())}
    sources = [f"{name} = {{ workspace = true }}\n" for name in sorted(projects) if name != "dovetail"]
    lines = "".join(f'{key} = ["{wanted}"]\n' for key, wanted in extras(projects).items())
    everything = "".join(f'    "{wanted}",\n' for wanted in extras(projects).values())
    return (
        "[project.optional-dependencies]\n# One for each plugin that is not among the dependencies.\n"
        f"{lines}all = [\n{everything}]\n\n[tool.uv.sources]\n{''.join(sources)}"
    )


def extras(projects: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Key -> requirement, for the plugins (a library among them is none) that `dovetail` leaves to choose."""
    included = {name_of(wanted) for wanted in projects["dovetail"]["dependencies"]}
    optional = sorted(name for name, project in projects.items() if "entry-points" in project and name not in included)
    bounds = series(projects["dovetail-core"]["version"])
    return {name.removeprefix("dovetail-"): f"{name}{bounds}" for name in optional}


def series(version: str) -> str:
    """The bounds that first-party distributions of this version set on each other: ``>=X.Y,<X+1``."""
    major, minor = version.split(".")[:2]
    return f">={major}.{minor},<{int(major) + 1}"


def pyproject() -> str:
    """The root ``pyproject.toml`` with its marked tables renewed."""
    before, rest = (ROOT / "pyproject.toml").read_text(encoding="utf-8").split(BEGIN)
    return before + BEGIN + tables() + END + rest.split(END, maxsplit=1)[1]


def written() -> dict[Path, str]:
    """What each file this script owns should hold."""
    return {
        ROOT / "pyproject.toml": pyproject(),
        ROOT / "requirements" / "local.txt": local(),
        ROOT / "requirements" / "dev.txt": dev(),
    }


def stale() -> list[str]:
    """The files that do not hold what they should."""
    wanted = written().items()
    return [str(path.relative_to(ROOT)) for path, text in wanted if not path.exists() or path.read_text() != text]


def pin(*, upgrade: bool) -> None:
    """Resolve one set of versions that holds on every supported Python, from names and bounds alone."""
    if not shutil.which("uv"):
        sys.exit("constraints.txt is resolved by uv, and there is no uv on the PATH; pip install uv")
    command = ["uv", "pip", "compile", "-", "--universal", "--python-version", "3.10", "--quiet"]
    command += ["--no-header", "--no-annotate", "--output-file", "requirements/constraints.txt"]
    # Wheels lying about on this machine must not decide what others are asked to install.
    environment = {key: value for key, value in os.environ.items() if key != "UV_FIND_LINKS"}
    asked = "\n".join(third_party())
    upgrading = ["--upgrade"] if upgrade else []
    subprocess.run([*command, *upgrading], input=asked, text=True, cwd=ROOT, env=environment, check=True)


def main() -> int:
    """Do what the command line asks; the exit code is 1 when a check finds something stale."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("--check", "--pin", "--upgrade"):
        parser.add_argument(option, action="store_true")
    options = parser.parse_args()
    if options.check:
        for name in stale():
            print(f"{name} is stale; run: python scripts/requirements.py")
        return int(bool(stale()))
    for path, text in written().items():
        path.write_text(text, encoding="utf-8")
    if options.pin or options.upgrade:
        pin(upgrade=options.upgrade)
    return 0


if __name__ == "__main__":
    sys.exit(main())
