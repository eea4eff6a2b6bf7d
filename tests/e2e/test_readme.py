"""What README.md and the pages of docs/ show is run as it stands there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
TUTORIAL = ROOT / "docs" / "tutorial" / "first-run.md"
# What a reader of the tutorial finds with their eyes: the id of the run at the top of the list.
NEWEST = """newest() {
  dovetail runs list --max-results 1 --json |
    python -c 'import json, sys; print(json.load(sys.stdin)[0]["info"]["run_id"])'
}"""
WRITE_A_PLUGIN = ROOT / "docs" / "how-to" / "write-a-plugin.md"
_BLOCK = re.compile(r"^(?P<heading>#+ [^\n]*)$|^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"`([\w./]+\.(?:py|toml|md|yaml|csv)|MLproject)`")
_EMPTY = re.compile(r"an empty\s+`([\w./]+)`")


@dataclass(frozen=True)
class Block:
    """A block of code on a page."""

    page: Path
    heading: str
    language: str
    text: str
    before: str
    line: int

    @property
    def file(self) -> str | None:
        """The file that the last paragraph before the block says it belongs into."""
        named = _FILE.findall(self.before.strip().rpartition("\n\n")[2])
        return named[-1] if named else None


def blocks(page: Path) -> list[Block]:
    found, heading, end = [], "", 0
    text = page.read_text(encoding="utf-8")
    for match in _BLOCK.finditer(text):
        if match["heading"]:
            heading = match["heading"].lstrip("# ")
        else:
            before, line = text[end : match.start()], text.count("\n", 0, match.start("text"))
            found.append(Block(page, heading, match["language"], match["text"], before, line))
        end = match.end()
    return found


def python_of(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language == "python"]


def console(heading: str) -> list[str]:
    return [
        block.text for block in blocks(ROOT / "README.md") if (block.heading, block.language) == (heading, "console")
    ]


def script_of(page: Path) -> str:
    """The page's Python blocks as one script, each line where it stands on the page, for tracebacks."""
    lines = [""] * len(page.read_text(encoding="utf-8").splitlines())
    for block in python_of(page):
        text = block.text.splitlines()
        lines[block.line : block.line + len(text)] = text
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "page", [page for page in PAGES if python_of(page) and page != WRITE_A_PLUGIN], ids=lambda page: page.name
)
def test_the_python_of_a_page_runs(place: Any, page: Path) -> None:
    script = place.folder / page.with_suffix(".py").name
    script.write_text(script_of(page), encoding="utf-8")
    outcome = place.call(sys.executable, str(script), env={"DOVETAIL_TRACKING_URI": ""})
    assert outcome.exit_code == 0, outcome.err
    assert outcome.err == ""


def test_the_script_of_the_readme_does_what_is_said_of_it(place: Any) -> None:
    (block,) = python_of(ROOT / "README.md")
    outcome = place.call(sys.executable, "-c", block.text, env={"DOVETAIL_TRACKING_URI": ""})
    assert outcome.out.split()[0] == "one"
    assert "{'lr': '0.1', 'model': 'tree'}" in outcome.out
    assert sorted(path.name for path in place.work.iterdir()) == ["dovetail-artifacts", "dovetail.db"]


@pytest.mark.index
def test_the_plugin_that_the_page_writes_is_installed_and_passes_its_suites(place: Any) -> None:
    plugin = place.work / "plugin"
    for block in blocks(WRITE_A_PLUGIN):
        assert block.file, f"the page does not say where the block under {block.heading!r} goes"
        (plugin / block.file).parent.mkdir(parents=True, exist_ok=True)
        (plugin / block.file).write_text(block.text, encoding="utf-8")
    for file in _EMPTY.findall(WRITE_A_PLUGIN.read_text(encoding="utf-8")):
        (plugin / file).write_text("", encoding="utf-8")
    passes_its_suites(place, plugin, "textfile")


@pytest.mark.index
def test_the_plugin_that_others_start_from_is_installed_and_passes_its_suites(place: Any) -> None:
    plugin = place.work / "plugin"
    shutil.copytree(ROOT / "plugins" / "_template" / "flavor", plugin)
    passes_its_suites(place, plugin, "example")


def passes_its_suites(place: Any, plugin: Path, key: str) -> None:
    """Install a plugin into a folder of its own and run its tests; none may be skipped, none may warn."""
    site = place.work / "site"
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"
    made = place.call(uv, "pip", "install", "--python", sys.executable, "--no-deps", "--target", str(site), str(plugin))
    assert made.exit_code == 0, made.err
    (tests,) = plugin.glob("**/test_*.py")
    shutil.copy(tests, place.work)
    env = {"PYTHONPATH": str(site)}
    assert key in place.cli("plugins", "list", env=env).out
    tested = place.call(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests.name, env=env)
    assert tested.exit_code == 0, tested.out
    assert not re.search("skipped|warning", tested.out.splitlines()[-1]), tested.out


@pytest.mark.index
@pytest.mark.timeout(900)
def test_the_main_job_runs_in_a_fresh_copy(place: Any) -> None:
    copy = copy_of_the_checkout(place.folder / "copy")
    first, look = console("Run the main job")
    env = {"DOVETAIL_TRACKING_URI": "", "DOVETAIL_ENV_DIR": str(place.folder / "envs"), "VIRTUAL_ENV": ""}
    ran = place.call("bash", "-ec", first, cwd=copy, env=env, timeout=600)
    assert ran.exit_code == 0, ran.err
    assert re.search(r"status +FINISHED", ran.out)
    (run_id,) = re.findall(r"^run +([0-9a-f]{32}) ", ran.out, re.MULTILINE)
    for line in look.splitlines():
        outcome = place.call("bash", "-ec", line.replace("RUN_ID", run_id), cwd=copy, env=env, timeout=300)
        assert outcome.exit_code == 0, f"{line}\n{outcome.err}"
        assert outcome.out
    assert (copy / "dovetail.db").is_file()


@pytest.mark.index
@pytest.mark.timeout(900)
def test_the_tutorial_runs_from_its_first_block_to_its_last(place: Any) -> None:
    copy = copy_of_the_checkout(place.folder / "copy")
    env = {"DOVETAIL_TRACKING_URI": "", "DOVETAIL_ENV_DIR": str(place.folder / "envs"), "VIRTUAL_ENV": ""}
    steps = "\n".join(step(block) for block in blocks(TUTORIAL))
    ran = place.call("bash", "-ec", f"{NEWEST}\n{steps}", cwd=copy, env=env, timeout=800)
    assert ran.exit_code == 0, ran.out + ran.err
    assert re.search(r"^\S+ +depth 3 +FINISHED", ran.out, re.MULTILINE)
    assert re.search(r"^depth 4: accuracy 0\.\d+$", ran.out, re.MULTILINE)
    assert re.search(r'"predictions": \[0, 1\]', ran.out)
    assert ran.out.splitlines()[-1] == "[0 0 0]"


def step(block: Block) -> str:
    """What a reader does with a block of the tutorial: run it, or write it into the file that the page names."""
    if block.language == "console":
        return block.text.replace("RUN_ID", "$(newest)")
    assert block.file, f"the page does not say where the block on line {block.line} goes"
    return f"cat > {block.file} <<'END'\n{block.text}END"


def copy_of_the_checkout(copy: Path) -> Path:
    """The checkout's files without what lies about in it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    return copy


def test_continuous_integration_does_what_the_readme_says() -> None:
    (block,) = console("Run the tests")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8").replace('"$scratch/venv"', ".venv")
    done = iter(re.sub(r'"\$scratch/venv/bin/(\w+)"', r".venv/bin/\1", script).splitlines())
    for step in block.strip().split(" && "):
        assert any(line == step or line.startswith(f"{step} 2>&1") for line in done), f"`{step}` is not in .ci/run"
