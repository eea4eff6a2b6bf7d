"""What stands in the documentation and in the files of development is true of the code."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
import yaml

from dovetail.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
WRITTEN = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("plugins/*/*/README.md"), *PAGES]
NOTES = sorted(path for path in (ROOT / "changelog.d").iterdir() if path.name != "template.md.jinja")
NOTE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\.(added|changed|fixed|removed|security)\.md")
REFUSED = typer.BadParameter.__mro__[1]  # what typer's parser raises for any wrong usage; it has no public name
_CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# --- pages ----------------------------------------------------------------------------------------------------


def pages_in(nav: Any) -> Iterator[str]:
    """The pages of a navigation, or of a part of it."""
    if isinstance(nav, str):
        yield nav
    for part in nav.values() if isinstance(nav, dict) else nav if isinstance(nav, list) else ():
        yield from pages_in(part)


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_each_page_stands_in_the_navigation_once(page: Path) -> None:
    listed = list(pages_in(yaml.safe_load(read(ROOT / "mkdocs.yml"))["nav"]))
    assert listed.count(page.relative_to(DOCS).as_posix()) == 1, f"name {page.name} in the nav of mkdocs.yml"


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_each_page_has_one_title(page: Path) -> None:
    prose = re.sub(r"^```.*?^```$", "", read(page), flags=re.MULTILINE | re.DOTALL)
    assert len(re.findall(r"^# \S", prose, re.MULTILINE)) == 1


@pytest.mark.parametrize("page", [page for page in WRITTEN if page not in PAGES], ids=relative)
def test_each_link_of_a_page_outside_the_site_leads_somewhere(page: Path) -> None:
    targets = [target for target in re.findall(r"\]\(([^)#\s]+)", read(page)) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize(
    "plugin", sorted(ROOT.glob("plugins/[!_]*/*/pyproject.toml")), ids=lambda path: path.parent.name
)
def test_the_architecture_names_each_plugin_beside_its_folder(plugin: Path) -> None:
    tree = read(DOCS / "explanation" / "architecture.md")
    kind, key = plugin.parts[-3:-1]
    assert re.search(rf"^plugins/{kind}/ .*\b{key}\b", tree, re.MULTILINE), f"plugins/{kind}/{key} is not in the tree"


# --- commands -------------------------------------------------------------------------------------------------


def commands() -> list[Any]:
    """Every call of ``dovetail`` in a console block, with its page for a name."""
    found = [(page, words) for page in WRITTEN for block in _CONSOLE.findall(read(page)) for words in calls(block)]
    return [pytest.param(words, id=f"{page.name}: {' '.join(words)}") for page, words in found]


def calls(block: str) -> Iterator[list[str]]:
    """The words behind ``dovetail``, for each simple command of a block that calls it."""
    for line in block.replace("\\\n", " ").splitlines():
        words = simple_commands(line.removeprefix("$ "))
        while words:
            command = words.pop(0)
            while command and re.match(r"\w+=", command[0]):
                del command[0]
            if command and Path(command[0]).name == "dovetail":
                yield command[1:]


def simple_commands(line: str) -> list[list[str]]:
    """A line of shell, taken apart at its pipes, redirections and joints."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    parts: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= set("();<>|&"):
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


@pytest.mark.parametrize("words", commands())
def test_each_command_is_one_that_the_command_line_takes(words: list[str]) -> None:
    takes(words)


@pytest.mark.parametrize("line", ["runs lst", "runs list --filtre x", "run", "runs show", "run . -P"])
def test_a_command_that_the_command_line_refuses_would_be_found(line: str) -> None:
    with pytest.raises((REFUSED, AssertionError)):
        takes(line.split())


def takes(words: list[str]) -> None:
    """Have the real command line read the words, without doing what they say."""
    command = typer.main.get_command(app)
    context = command.make_context("dovetail", [], resilient_parsing=True)
    while hasattr(command, "list_commands"):
        _, words, _ = command.make_parser(context).parse_args(args=list(words))
        if not words:
            return
        name, *words = words
        found = command.get_command(context, name)
        assert found is not None, f"there is no command {name!r} in `{context.command_path}`"
        command, context = found, type(context)(found, info_name=name, parent=context)
    if "--help" not in words:
        command.make_context(str(command.name), list(words), parent=context.parent)


# --- the changelog --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("note", NOTES, ids=relative)
def test_each_note_for_the_changelog_is_one(note: Path) -> None:
    assert NOTE.fullmatch(note.name), f"{note.name} is not <short-name>.<added|changed|fixed|removed|security>.md"
    text = read(note).strip()
    assert text.endswith("."), f"{note.name} holds no sentence"
    assert not re.search(r"#\d", text), "whoever reads a changelog knows no numbers of issues"
    assert not re.match(r"[-*] ", text), "the changelog's list is made of notes, not of lists"


def test_the_changelog_has_the_place_where_releases_go() -> None:
    pyproject = read(ROOT / "pyproject.toml")
    (marker,) = re.findall(r'^start_string = "(.*)\\n"$', pyproject, re.MULTILINE)
    assert read(ROOT / "CHANGELOG.md").count(f"{marker}\n") == 1


# --- what others run ------------------------------------------------------------------------------------------


def sessions() -> set[str]:
    """The names that `nox -s` takes."""
    listed = subprocess.run(
        [sys.executable, "-m", "nox", "--list-sessions"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(re.findall(r"^[*-] ([^\s(]+)", listed.stdout, re.MULTILINE))


def jobs() -> dict[str, Any]:
    workflow: dict[str, Any] = yaml.safe_load(read(ROOT / ".github" / "workflows" / "ci.yml"))
    return dict(workflow["jobs"])


def lines_of(job: dict[str, Any]) -> list[str]:
    """The commands of a job, once for each value of its matrix that they name."""
    lines = [step["run"] for step in job["steps"] if "run" in step]
    for key, values in job["strategy"]["matrix"].items():
        field = f"${{{{ matrix.{key} }}}}"
        lines = list(dict.fromkeys(line.replace(field, value) for line in lines for value in values))
    return lines


def test_the_workflow_runs_sessions_that_there_are() -> None:
    named = [line.removeprefix("nox -s ") for job in jobs().values() for line in lines_of(job) if "nox -s" in line]
    assert {"lint", "types", "docs", "tests-3.10", "tests-3.13", "compat-3.13"} <= set(named)
    assert sorted(set(named) - sessions()) == []


def test_the_workflow_runs_on_every_system_and_every_python() -> None:
    systems = {job["runs-on"] for job in jobs().values()} | set(jobs()["elsewhere"]["strategy"]["matrix"]["system"])
    assert {"ubuntu-latest", "macos-latest", "windows-latest"} <= systems
    pythons = {name.removeprefix("compat-") for name in sessions() if name.startswith("compat-")}
    assert [set(jobs()[name]["strategy"]["matrix"]["python"]) for name in ("tests", "elsewhere")] == [pythons, pythons]


def test_the_workflow_sets_the_variables_that_the_services_need() -> None:
    compose = read(ROOT / "tests" / "services" / "compose.yaml")
    said = re.findall(r"^# +export (.*?)(?: {2,}#.*)?$", compose, re.MULTILINE)
    wanted = dict(pair.split("=", 1) for line in said for pair in line.split())
    assert wanted == jobs()["tests"]["env"]


def test_the_hooks_before_a_commit_fetch_nothing_and_are_there() -> None:
    repositories = yaml.safe_load(read(ROOT / ".pre-commit-config.yaml"))["repos"]
    assert [each["repo"] for each in repositories] == ["local"]
    hooks = repositories[0]["hooks"]
    assert {each["language"] for each in hooks} == {"system"}
    scripts = [word for each in hooks for word in each["entry"].split() if word.endswith(".py")]
    assert scripts
    assert [script for script in scripts if not (ROOT / script).is_file()] == []
