"""``dovetail plugins``: in processes of its own, with distributions made on disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROGRAM = "from dovetail.cli.main import main; main()"
GOOD = """
from dovetail import hookimpl
print("a word from the plugin")

class Notes:
    def save(self, model, path, options): ...
    def load(self, path, conf): ...

@hookimpl
def dovetail_flavors():
    return {"notes": Notes}

@hookimpl
def dovetail_samplers():
    return {"notes": Notes}
"""
POINTS = {"flavors": {"notes": "acme_notes"}, "samplers": {"notes": "acme_notes"}}


@pytest.fixture
def cli(site: Path) -> Callable[..., Any]:
    """``cli("list", …)`` runs ``dovetail plugins`` where the test's distributions are installed."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), *filter(None, sys.path)]), **variables}
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, "plugins", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
            encoding="utf-8",
        )

    return run


@pytest.fixture
def notes(installed: Callable[..., Path]) -> Path:
    place = installed("acme-notes", POINTS, acme_notes=GOOD)
    with (place / "METADATA").open("a", encoding="utf-8") as file:
        file.write("Summary: Notes on things\nProject-URL: Repository, https://notes.example/code\n")
        file.write("Project-URL: Homepage, https://notes.example\nRequires-Dist: paper>=1\n")
        file.write("Requires-Dist: pytest; extra == 'test'\n")
    return place


class TestInfo:
    def test_of_a_key_shows_all_its_kinds_and_whose_it_is(self, cli: Any, notes: Path, site: Path) -> None:
        done = cli("info", "notes")
        assert done.returncode == 0
        for part in ("acme-notes 1.2.3", "Notes on things", "https://notes.example\n", str(site), "paper>=1"):
            assert part in done.stdout
        assert "model flavor  notes  acme_notes" in done.stdout
        assert "sampler       notes  acme_notes" in done.stdout
        assert "extra" not in done.stdout

    def test_imports_nothing(self, cli: Any, installed: Any) -> None:
        installed("acme-bomb", {"flavors": {"bomb": "acme_bomb"}}, acme_bomb="raise RuntimeError('boom')")
        done = cli("info", "bomb")
        assert (done.returncode, "boom" in done.stdout + done.stderr) == (0, False)
        assert "plugins check acme-bomb" in done.stdout

    def test_with_load_says_what_is_wrong(self, cli: Any, installed: Any) -> None:
        installed("acme-bomb", {"flavors": {"bomb": "acme_bomb"}}, acme_bomb="raise RuntimeError('boom')")
        done = cli("info", "bomb", "--load")
        assert done.returncode == 1
        assert "broken" in done.stdout
        assert "RuntimeError: boom" in done.stdout

    @pytest.mark.parametrize("name", ["acme-notes", "Acme_Notes", "notes"])
    def test_as_json(self, cli: Any, notes: Path, name: str) -> None:
        (told,) = json.loads(cli("info", name, "--load", "--json").stdout)
        assert (told["distribution"], told["version"], told["requires"]) == ("acme-notes", "1.2.3", ["paper>=1"])
        assert [(each["kind"], each["loads"]) for each in told["offers"]] == [("model flavor", True), ("sampler", True)]

    def test_of_a_key_that_two_claim_shows_both(self, cli: Any, notes: Path, installed: Any) -> None:
        installed("acme-rival", {"flavors": {"notes": "acme_rival"}}, acme_rival=GOOD)
        done = cli("info", "notes")
        assert "acme-notes 1.2.3" in done.stdout
        assert "acme-rival 1.2.3" in done.stdout

    def test_of_one_that_is_blocked(self, cli: Any, notes: Path) -> None:
        done = cli("info", "notes", "--load", DOVETAIL_PLUGINS_BLOCK="acme-notes")
        assert (done.returncode, done.stdout.count("acme_notes  blocked")) == (0, 2)

    def test_of_an_editable_one_says_where_its_source_is(self, cli: Any, notes: Path) -> None:
        told = {"url": "file:///home/ada/notes", "dir_info": {"editable": True}}
        (notes / "direct_url.json").write_text(json.dumps(told), encoding="utf-8")
        assert "file:///home/ada/notes" in cli("info", "notes").stdout

    def test_of_nothing(self, cli: Any, notes: Path) -> None:
        done = cli("info", "acme-nots")
        assert done.returncode == 6
        assert done.stderr.splitlines() == [
            "Error: No installed plugin is called 'acme-nots'. Did you mean 'acme-notes'?",
            "  `dovetail plugins list` shows what is there.",
        ]


class TestCheck:
    def test_of_those_that_are_well(self, cli: Any, notes: Path) -> None:
        done = cli("check", "notes")
        assert done.returncode == 0
        assert done.stdout.splitlines() == [
            "✓ model flavor notes  acme-notes 1.2.3",
            "✓ sampler notes  acme-notes 1.2.3",
            "",
            "2 looked at, 0 broken.",
        ]

    def test_of_what_is_installed_here(self, cli: Any) -> None:
        done = cli("check")
        assert (done.returncode, done.stderr) == (0, "")

    def test_of_one_that_is_broken(self, cli: Any, notes: Path, installed: Any) -> None:
        installed("acme-bad", {"flavors": {"bad": "acme_bad"}}, acme_bad="import no_such_library_anywhere")
        done = cli("check")
        assert done.returncode == 1
        assert "✗ model flavor bad  acme-bad 1.2.3\n    The plugin 'bad' (acme-bad 1.2.3) cannot be imp" in done.stdout
        assert "✓ model flavor notes" in done.stdout
        assert "DOVETAIL_PLUGINS_BLOCK=acme-bad" in done.stdout

    def test_leaves_blocked_ones_alone(self, cli: Any, installed: Any) -> None:
        installed("acme-bad", {"flavors": {"bad": "acme_bad"}}, acme_bad="import no_such_library_anywhere")
        done = cli("check", "bad", DOVETAIL_PLUGINS_BLOCK="acme-bad")
        assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "1 looked at, 0 broken, 1 blocked.")

    def test_as_json_is_json_whatever_plugins_print(self, cli: Any, notes: Path, installed: Any) -> None:
        installed("acme-bad", {"flavors": {"bad": "acme_bad"}}, acme_bad="print('hello'); import no_such_library")
        done = cli("check", "bad", "notes", "--json")
        told = {each["key"]: each for each in json.loads(done.stdout)}
        assert (done.returncode, told["bad"]["ok"], told["notes"]["ok"]) == (1, False, True)
        assert "no_such_library" in told["bad"]["problems"][0]
        assert "a word from the plugin" in done.stderr

    def test_nothing_a_plugin_says_reaches_the_terminal_as_a_command(self, cli: Any, installed: Any) -> None:
        source = r"raise RuntimeError('\x1b]0;title\x07')"
        installed("acme-bad", {"flavors": {"bad": "acme_bad"}}, acme_bad=source)
        assert "\x1b" not in cli("check", "bad").stdout

    def test_where_the_terminal_has_no_marks(self, cli: Any, notes: Path) -> None:
        done = cli("check", "notes", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
        assert done.stdout.startswith("ok model flavor notes")

    def test_of_nothing(self, cli: Any) -> None:
        assert cli("check", "sqlte").returncode == 6
