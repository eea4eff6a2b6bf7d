"""What is checked, by people and by continuous integration; ``nox -l`` lists it.

The folders are the registry: a new distribution needs no line here.
"""

from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path

import nox

ROOT = Path(__file__).parent
DIST = ROOT / "dist"
PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/[!_]*/*/pyproject.toml"))
KEYS = [folder.name for folder in PLUGINS]
PINS = ("-c", "requirements/constraints.txt")
# Side by side, on every core; whoever is done takes from the others. ``nox -s tests -- -n 0`` runs them in turn.
SIDE_BY_SIDE = ("-n", "auto", "--dist", "worksteal")
# In an environment that holds everything, a test that misses a library fails instead of being skipped.
COMPLETE = {"DOVETAIL_TEST_LIBRARIES": "required"}
# The clients of MLflow that the server is tried with: of its third series the newest there is.
CLIENTS = ("==2.9.2", "==2.17.2", ">=3")

nox.needs_version = ">=2025.10.14"
nox.options.default_venv_backend = "uv|virtualenv"
# A missing interpreter is skipped, and said so; where the variable CI is set, it is an error.
nox.options.download_python = "never"
TESTS = f"tests-{HERE if HERE in PYTHONS else PYTHONS[-1]}"
nox.options.sessions = ["lint", "types", "docs", "wheels", "interop", "clients", "frames", TESTS]


@nox.session
def lint(session: nox.Session) -> None:
    """Style and format, by ruff."""
    session.install(*PINS, "ruff")
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Types, by mypy in strict mode."""
    install_checkout(session)
    session.run("mypy", "core", *map(str, PLUGINS), "scripts", "conftest.py", "noxfile.py")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Every test, in one environment that holds every distribution."""
    install_checkout(session)
    session.run("pytest", "-rsfE", *SIDE_BY_SIDE, *session.posargs, env=COMPLETE)


@nox.session(python=PYTHONS)
def compat(session: nox.Session) -> None:
    """The tests of what stands on no heavy library, on every supported Python."""
    install_checkout(session)
    light = ["core/tests", "plugins/stores/sql", "plugins/stores/sqlite", "plugins/artifacts/fsspec"]
    session.run("pytest", *light, *SIDE_BY_SIDE, *session.posargs)


@nox.session
def interop(session: nox.Session) -> None:
    """Models to and from the real MLflow, what it kept, and its server; it gets an environment of its own."""
    install_checkout(session)
    python = peer(session, "mlflow", "mlflow==3.17.2", "scikit-learn")
    tests = ["tests/e2e/test_mlflow_models.py", "tests/e2e/test_import_mlflow.py", "plugins/stores/http/tests/stock"]
    variables = {**COMPLETE, "DOVETAIL_TEST_MLFLOW_PYTHON": python}
    session.run("pytest", "-rsfE", *tests, *SIDE_BY_SIDE, *session.posargs, env=variables)


@nox.session
def clients(session: nox.Session) -> None:
    """MLflow's own clients, old and new, against the server; each gets an environment of its own."""
    install_checkout(session)
    # Old ones still ask setuptools for what it has given up since.
    pythons = [
        peer(session, f"client{number}", f"mlflow-skinny{version}", "setuptools<81")
        for number, version in enumerate(CLIENTS)
    ]
    variables = {**COMPLETE, "DOVETAIL_TEST_MLFLOW_CLIENTS": os.pathsep.join(pythons)}
    session.run("pytest", "-rsfE", "tests/e2e/test_mlflow_clients.py", *SIDE_BY_SIDE, *session.posargs, env=variables)
    # Many of our own at once: nothing beside them.
    session.run("pytest", "-rsfE", "tests/e2e/test_crowd.py", env={**COMPLETE, "DOVETAIL_TEST_CROWD": "1000"})


def peer(session: nox.Session, name: str, *wanted: str) -> str:
    """The interpreter of a new environment beside the session's, which holds what is wanted."""
    folder = Path(session.create_tmp()).absolute() / name
    python = str(folder / ("Scripts" if sys.platform == "win32" else "bin") / "python")
    if session.venv_backend == "uv":
        session.run("uv", "venv", "-q", "--clear", "--seed", "--python", sys.executable, str(folder))
        session.run("uv", "pip", "install", "-q", "--python", python, *wanted)
    else:
        session.run("python", "-m", "venv", "--clear", str(folder))
        session.run(python, "-m", "pip", "install", "-q", *wanted, external=True)
    return python


@nox.session
def frames(session: nox.Session) -> None:
    """Datasets of every library they can be of, heavy ones among them; Spark needs Java."""
    install_checkout(session)
    session.install("-r", "requirements/frames.txt")
    session.run("pytest", "core/tests/datasets", *session.posargs, env={"DOVETAIL_TEST_FRAMES": "required"})


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation site, strictly, into site/; ``nox -s docs -- serve`` shows it while it is written."""
    install_checkout(session)
    # The theme's makers announce the end of another program's series on every build.
    session.run("mkdocs", *(session.posargs or ["build", "--strict"]), env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session
def changelog(session: nox.Session) -> None:
    """The notes of the coming release, printed; ``nox -s changelog -- --yes`` moves them into CHANGELOG.md."""
    install_checkout(session)
    version = str(PYPROJECT["project"]["version"])
    session.run("towncrier", "build", "--version", version, *(session.posargs or ["--draft"]))


@nox.session
def house(session: nox.Session) -> None:
    """The tests of the repository itself: its folders, its floors, its promises to contributors."""
    install_checkout(session)
    session.run("pytest", "tests/house", *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """The wheel of every distribution, in dist/."""
    session.install("build", "hatchling")
    for wheel in DIST.glob("*.whl"):
        wheel.unlink()
    for folder in (ROOT / "core", *PLUGINS, ROOT):
        session.run("pyproject-build", "--wheel", "--no-isolation", "--outdir", str(DIST), str(folder), silent=True)
    for wheel in DIST.glob("*.whl"):
        if extra := {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()} - expected_in(wheel):
            session.error(f"{wheel.name} carries {', '.join(sorted(extra))} beside its package")
    # Whoever installs with these constraints takes ours from dist/ and from no index.
    lines = [f"{wheel.name.split('-')[0].replace('_', '-')} @ {wheel.as_uri()}\n" for wheel in DIST.glob("*.whl")]
    (DIST / "constraints.txt").write_text("".join(sorted(lines)), encoding="utf-8")


def expected_in(wheel: Path) -> set[str]:
    """What the wheel may hold: its metadata and its package; `dovetail` itself has none."""
    distribution, version = wheel.name.split("-")[:2]
    package = {"dovetail": set(), "dovetail_core": {"dovetail"}}.get(distribution, {distribution})
    return {f"{distribution}-{version}.dist-info", *package}


@nox.session(requires=["build"])
@nox.parametrize("key", ["core", *KEYS, "all"], ids=["core", *KEYS, "all"])
def wheels(session: nox.Session, key: str) -> None:
    """Each distribution from its wheel, alone in a clean environment, with its own tests."""
    install_wheels(session, "dovetail[all]" if key == "all" else f"dovetail-{key}")
    session.run("dovetail", "--version")
    session.run(
        "python", "-c", "import dovetail" if key in {"core", "all"} else f"import dovetail_{key.replace('-', '_')}"
    )
    if key in KEYS:
        test_plugin(session, PLUGINS[KEYS.index(key)])


def test_plugin(session: nox.Session, folder: Path) -> None:
    """The plugin's tests, with the group ``test`` of its pyproject and nothing else beside it."""
    groups = nox.project.load_toml(folder / "pyproject.toml").get("dependency-groups", {})
    install_wheels(session, "dovetail-core[testing]", "pytest-timeout", "pytest-xdist", *groups.get("test", []))
    session.run("pytest", str(folder / "tests"), *SIDE_BY_SIDE, *session.posargs)


def install_checkout(session: nox.Session) -> None:
    """Every distribution of this checkout, editable, and every tool."""
    session.install("-r", "requirements/dev.txt")


def install_wheels(session: nox.Session, *wanted: str) -> None:
    """What is wanted, ours from dist/, the rest as pinned."""
    session.install(*PINS, "-c", str(DIST / "constraints.txt"), *wanted)
