"""Each plugin that is broken is told apart from those that are not, with the reason."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from dovetail import inspection
from dovetail.plugins import Plugins

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Install = Callable[..., Path]

GOOD = """
from dovetail import hookimpl

class Notes:
    def save(self, model, path, options): ...
    def load(self, path, conf): ...

@hookimpl
def dovetail_flavors():
    return {"notes": Notes}
"""
NOTES = {"flavors": {"notes": "acme_notes"}}


def looked_at(taken: Any = None, prefix: str = "acme-") -> dict[str, inspection.Inspection]:
    """What was found out about the distributions of a test, by distribution and key."""
    points = Plugins().installed()
    mine = [point for point in points if point.distribution.startswith(prefix)]
    return {f"{each.point.distribution} {each.point.name}": each for each in inspection.inspected(mine, points, taken)}


def problems(**more: Any) -> list[str]:
    return [problem for each in looked_at(**more).values() for problem in each.problems]


def test_a_good_plugin_has_none(installed: Install) -> None:
    installed("acme-notes", NOTES, acme_notes=GOOD)
    assert looked_at()["acme-notes notes"].problems == ()
    assert "acme_notes" in sys.modules


def test_one_broken_plugin_does_not_spoil_another(installed: Install) -> None:
    installed("acme-bad", {"flavors": {"bad": "acme_bad"}}, acme_bad="import no_such_library_anywhere")
    installed("acme-notes", NOTES, acme_notes=GOOD)
    found = looked_at()
    assert "No module named 'no_such_library_anywhere'" in found["acme-bad bad"].problems[0]
    assert found["acme-notes notes"].problems == ()


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("def broken(:", "SyntaxError"),
        ("", "has no dovetail_flavors()"),
        (GOOD.replace("def dovetail_flavors", "def dovetail_flavours"), "dovetail_flavours"),
        (GOOD.replace('"notes"', '"poems"'), "hands out only ['poems']"),
        (GOOD.replace("def load", "def lode"), "Notes is no complete model flavor: it lacks load."),
        (GOOD.replace('{"notes": Notes}', '{"notes": lambda: object()}'), "it lacks load, save"),
        (GOOD.replace('{"notes": Notes}', '{"notes": lambda: 1 / 0}'), "cannot be made: ZeroDivisionError"),
        (GOOD.replace('{"notes": Notes}', '{"notes": 5}'), "which cannot be called"),
    ],
)
def test_what_is_wrong_is_said(installed: Install, source: str, reason: str) -> None:
    installed("acme-notes", NOTES, acme_notes=source)
    (problem,) = problems()
    assert reason in problem


def test_an_abstract_method_that_was_left_out_is_named(installed: Install) -> None:
    source = GOOD.replace("class Notes:", "from dovetail.models import Flavor\n\nclass Notes(Flavor):")
    installed("acme-notes", NOTES, acme_notes=source.replace("    def save(self, model, path, options): ...\n", ""))
    assert problems() == ["Notes is no complete model flavor: it lacks save."]


def test_what_is_opened_with_a_uri_is_not_opened(installed: Install) -> None:
    source = GOOD.replace("flavors", "tracking_stores").replace("Notes}", "lambda uri: 1 / 0}")
    installed("acme-notes", {"tracking_stores": NOTES["flavors"]}, acme_notes=source)
    found = looked_at()["acme-notes notes"]
    assert (found.problems, "opened with a uri" in found.notes[0]) == ((), True)


def test_both_rivals_for_a_key_are_told(installed: Install) -> None:
    installed("acme-notes", NOTES, acme_notes=GOOD)
    installed("acme-rival", {"flavors": {"notes": "acme_rival"}}, acme_rival=GOOD)
    found = looked_at()
    assert len(found) == 2
    assert all("claimed by acme-notes 1.2.3 and by acme-rival 1.2.3" in each.problems[0] for each in found.values())


def test_a_group_that_nothing_reads(installed: Install) -> None:
    installed("acme-notes", {"flavours": {"notes": "acme_notes"}}, acme_notes=GOOD)
    assert problems() == ["Nothing reads the entry-point group 'dovetail.flavours'. Did you mean 'dovetail.flavors'?"]


@pytest.mark.parametrize("key", ["models", "log_metric", "inspection"])
def test_a_flavor_that_a_name_of_the_cores_hides(installed: Install, key: str) -> None:
    installed("acme-notes", {"flavors": {key: "acme_notes"}}, acme_notes=GOOD.replace('"notes"', f'"{key}"'))
    (problem,) = problems()
    assert f"dovetail.{key} is a name of dovetail's own" in problem


def test_a_command_that_a_built_in_one_hides(installed: Install) -> None:
    source = "from dovetail import hookimpl\n\n@hookimpl\ndef dovetail_commands(): return {'runs': print}\n"
    installed("acme-notes", {"commands": {"runs": "acme_notes"}}, acme_notes=source)
    assert problems(taken={"commands": ["runs"]}) == ["dovetail has a command 'runs' itself, which wins."]


def test_an_observer_without_a_hook(installed: Install) -> None:
    source = "def dovetail_run_started(run): ...\n"
    installed("acme-watch", {"hooks": {"watch": "acme_watch"}}, acme_watch=source)
    (problem,) = problems()
    assert "implements no hook" in problem
    assert "@dovetail.hookimpl" in problem


def test_an_observer_with_a_misspelt_hook_beside_a_good_one(installed: Install) -> None:
    source = "from dovetail import hookimpl\n\n@hookimpl\ndef dovetail_run_started(run): ...\n"
    installed("acme-good", {"hooks": {"good": "acme_good"}}, acme_good=source)
    installed("acme-bad", {"hooks": {"bad": "acme_bad"}}, acme_bad=source.replace("started", "stared"))
    found = looked_at()
    assert found["acme-good good"].problems == ()
    assert "dovetail_run_stared" in found["acme-bad bad"].problems[0]


class TestPackagesOfFlavors:
    def test_one_that_leads_to_a_flavor_is_well(self, installed: Install) -> None:
        installed("acme-notes", {**NOTES, "flavor_packages": {"notebook": "acme_notes"}}, acme_notes=GOOD)
        assert problems() == []

    def test_one_that_leads_nowhere(self, installed: Install) -> None:
        installed("acme-notes", {**NOTES, "flavor_packages": {"notebook": "acme_note"}}, acme_notes=GOOD)
        assert problems() == ["acme_note is no module that an installed flavor comes from."]

    def test_one_that_two_claim(self, installed: Install) -> None:
        installed("acme-notes", {**NOTES, "flavor_packages": {"notebook": "acme_notes"}}, acme_notes=GOOD)
        poems = {"flavors": {"poems": "acme_poems"}, "flavor_packages": {"notebook": "acme_poems"}}
        installed("acme-poems", poems, acme_poems=GOOD.replace('"notes"', '"poems"'))
        assert problems() == ["The package 'notebook' is claimed by acme-notes 1.2.3 and by acme-poems 1.2.3."] * 2


class TestVersionsOfTheCore:
    @pytest.mark.parametrize(
        "line",
        ["dovetail-core", "dovetail-core>=0.1,<1", "dovetail_core (>=0.1)", "dovetail-core==0.*", "dovetail-core~=0.1",
         "dovetail-core>=2; extra == 'new'", "numpy>=99", "dovetail-core-extras>=9", "dovetail-core!=0.2",
         "dovetail-core===0.1.0+local"],
    )  # fmt: skip
    def test_that_fit(self, line: str) -> None:
        assert inspection.core_problems([line], "0.1.0") == []

    @pytest.mark.parametrize(
        "line", ["dovetail-core>=0.2", "dovetail-core>=0.1,<0.1.0", "dovetail-core==1.*", "dovetail-core~=1.0",
                 "dovetail_core>0.1", "dovetail-core!=0.1.0", "Dovetail.Core>=1"]
    )  # fmt: skip
    def test_that_do_not(self, line: str) -> None:
        (problem,) = inspection.core_problems([line], "0.1.0")
        assert problem.endswith("and this is dovetail-core 0.1.0.")

    def test_are_read_from_the_distribution(self, installed: Install) -> None:
        place = installed("acme-notes", NOTES, acme_notes=GOOD)
        with (place / "METADATA").open("a", encoding="utf-8") as file:
            file.write("Requires-Dist: dovetail-core>=7,<8\n")
        (problem,) = problems()
        assert problem.startswith("It is made for dovetail-core >=7,<8, and this is dovetail-core")


def test_what_is_blocked_is_not_loaded(installed: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    installed("acme-notes", NOTES, acme_notes="raise RuntimeError('boom')")
    monkeypatch.setenv("DOVETAIL_PLUGINS_BLOCK", "acme-notes")
    found = looked_at()["acme-notes notes"]
    assert (found.blocked, found.problems) == (True, ())
    assert "acme_notes" not in sys.modules
