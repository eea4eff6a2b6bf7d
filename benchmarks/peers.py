"""The peers a workload is measured on, and the environments they are installed in.

A peer is an interpreter with one tracking library installed. `dovetail` is built from this
checkout, as a user would install it (not editable); any other peer comes from the package
index. Environments are kept in a cache folder and built anew when what goes into them changes.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = [
    "CHECKOUT",
    "DIALECTS",
    "Dialect",
    "Peer",
    "PeerFailed",
    "Shelf",
    "default_cache",
]

CHECKOUT = Path(__file__).resolve().parent.parent
INSIDE = Path(__file__).resolve().parent / "inside"
FROM_CHECKOUT = {
    "dovetail-core": "core",
    "dovetail-sql": "plugins/stores/sql",
    "dovetail-sqlite": "plugins/stores/sqlite",
    "dovetail-fsspec": "plugins/artifacts/fsspec",
    "dovetail-local": "plugins/backends/local",
}


@dataclass(frozen=True)
class Dialect:
    """The few names in which two libraries with the same API differ."""

    module: str
    entities: str
    client: str
    command: str
    distribution: str


DIALECTS = {
    "dovetail": Dialect("dovetail", "dovetail.values", "Client", "dovetail", "dovetail-core"),
    "mlflow": Dialect("mlflow", "mlflow.entities", "MlflowClient", "mlflow", "mlflow"),
    # Loggers with verbs of their own: `log_calls.py` alone speaks to them.
    **{name: Dialect(name, name, name, name, name) for name in ("aim", "trackio", "wandb")},
    # A server: `serving.py` alone asks it.
    "fasttrackml": Dialect("fasttrackml", "fasttrackml", "fasttrackml", "fml", "fasttrackml"),
}


class PeerFailed(RuntimeError):
    """A process of the peer ended badly; the message carries the end of what it said."""

    def __init__(self, argv: list[str], status: int, said: str) -> None:
        self.said = said
        tail = "\n".join(said.strip().splitlines()[-8:])
        super().__init__(f"{' '.join(argv)} ended with {status}:\n{tail}")


@dataclass(frozen=True)
class Peer:
    """An interpreter with one library installed."""

    name: str
    python: Path
    dialect: Dialect

    @property
    def command(self) -> str:
        """The console script of the library, beside its interpreter."""
        suffix = ".exe" if os.name == "nt" else ""
        return str(self.python.parent / f"{self.dialect.command}{suffix}")

    def run(self, *argv: str, cwd: Path, timeout: float = 600) -> str:
        """Run a command in the peer's environment and return its standard output.

        Raises:
            PeerFailed: The command did not end with status 0.
        """
        done = subprocess.run(
            argv, cwd=cwd, env=environment(), capture_output=True, text=True, timeout=timeout, check=False
        )
        if done.returncode != 0:
            raise PeerFailed(list(argv), done.returncode, done.stderr)
        return done.stdout

    def inside(self, program: str, *argv: str) -> list[str]:
        """The command line that runs `inside/<program>.py` with the peer's interpreter."""
        names = (self.dialect.module, self.dialect.client, self.dialect.entities)
        return [str(self.python), str(INSIDE / f"{program}.py"), *names, *argv]

    def confirm(self) -> None:
        """Make sure that the library is really there: an empty folder of its name would import, too.

        Raises:
            PeerFailed: It cannot be imported or has no `start_run`.
        """
        self.run(str(self.python), "-c", f"import {self.dialect.module} as it; it.start_run", cwd=INSIDE)

    def version(self) -> str:
        """The installed version of the library."""
        ask = f"from importlib.metadata import version; print(version({self.dialect.distribution!r}))"
        return self.run(str(self.python), "-c", ask, cwd=INSIDE).strip()


def environment() -> dict[str, str]:
    """The variables every measured process gets: the caller's, without what would tilt the result."""
    # Without byte code a start-up takes two to three times as long; a tracking URI or a
    # module path left over from the caller's work would measure something else altogether.
    tilting = re.compile(r"PYTHONDONTWRITEBYTECODE$|PYTHONPATH$|PYTHONHOME$|VIRTUAL_ENV$|MLFLOW_|DOVETAIL_")
    kept = {key: value for key, value in os.environ.items() if not tilting.match(key)}
    # Usage reports go over the network: they would add noise to one side only.
    return {**kept, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}


def default_cache() -> Path:
    """Where the environments are kept unless told otherwise."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dovetail-benchmarks"


@dataclass(frozen=True)
class Shelf:
    """A folder of ready environments, one for each set of things installed.

    Args:
        folder: Where the environments lie.
        base: The interpreter they are made from.
        fresh: Build anew even if an environment is there.
    """

    folder: Path
    base: str = sys.executable
    fresh: bool = False

    def dovetail(self, *, whole: bool = False, beside: tuple[str, ...] = ()) -> Peer:
        """The library as it stands in this checkout: core, sqlite, fsspec and the local backend.

        Args:
            whole: With every plugin of the checkout beside them.
            beside: With the plugins in these folders of the checkout.
        """
        wanted = (*FROM_CHECKOUT.values(), *beside)
        missing = [path for path in wanted if not (CHECKOUT / path / "pyproject.toml").is_file()]
        if missing:
            raise SystemExit(f"the checkout has no distribution in: {', '.join(missing)}")
        folders = [CHECKOUT / path for path in wanted]
        if whole:
            folders = sorted({*folders, *(path.parent for path in CHECKOUT.glob("plugins/[!_]*/*/pyproject.toml"))})
        return self._peer("dovetail", "dovetail", [str(folder) for folder in folders], _digest_of(folders))

    def package(self, requirement: str) -> Peer:
        """A library from the package index, such as `mlflow==3.17.2`."""
        name = re.split(r"[^A-Za-z0-9_.-]", requirement, maxsplit=1)[0].lower()
        if name not in DIALECTS or name == "dovetail":
            known = ", ".join(sorted(set(DIALECTS) - {"dovetail"}))
            raise SystemExit(f"no dialect for {requirement!r}: the peers known are {known}")
        return self._peer(requirement, name, [requirement], hashlib.sha256(requirement.encode()).hexdigest())

    def _peer(self, name: str, dialect: str, wanted: list[str], digest: str) -> Peer:
        tag = hashlib.sha256(f"{digest} {self.base} {sys.version}".encode()).hexdigest()[:12]
        directory = self.folder / f"{dialect}-{tag}"
        if self.fresh or not (directory / "ready").is_file():
            print(f"building an environment for {name} in {directory}", file=sys.stderr)
            build(directory, self.base, wanted)
        return Peer(name, interpreter(directory), DIALECTS[dialect])


def build(directory: Path, base: str, wanted: list[str]) -> None:
    """Make an environment with `wanted` installed and byte-compiled."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.parent.mkdir(parents=True, exist_ok=True)
    for argv in _steps(directory, base, wanted):
        _call(argv)
    # Some packages ship templates that are no valid Python: nothing imports them, so the status is not looked at.
    compiling = [str(interpreter(directory)), "-m", "compileall", "-q", "-j", "0", str(directory)]
    subprocess.run(compiling, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    (directory / "ready").touch()


def _steps(directory: Path, base: str, wanted: list[str]) -> list[list[str]]:
    python = str(interpreter(directory))
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        return [[base, "-m", "venv", str(directory)], [python, "-m", "pip", "install", "-q", *wanted]]
    # uv keeps wheels it built from a folder for as long as the pyproject.toml is unchanged, and a
    # workspace would make them editable: both would measure something other than the sources.
    ours = [f"dovetail-{Path(path).name}" for path in wanted if Path(path).is_dir()]
    anew = [option for name in ours for option in ("--refresh-package", name)]
    return [
        [uv, "venv", "-q", "--python", base, str(directory)],
        [uv, "pip", "install", "-q", "--python", python, "--no-sources", *anew, *wanted],
    ]


def interpreter(directory: Path) -> Path:
    """The interpreter of an environment."""
    return directory / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _call(argv: list[str]) -> None:
    done = subprocess.run(argv, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PeerFailed(argv, done.returncode, done.stderr)


def _digest_of(folders: list[Path]) -> str:
    digest: Any = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(str(path.relative_to(CHECKOUT)).encode() + path.read_bytes())
    return str(digest.hexdigest())
