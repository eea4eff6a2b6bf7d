"""Plugins are found by their key, one import at a time, and each failure says whose it is."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dovetail import hookimpl, hookspecs, install_hint
from dovetail.errors import PluginBlocked, PluginBroken, PluginConflict, PluginMissing
from dovetail.plugins import KINDS, Plugins
from dovetail.values import Event

if TYPE_CHECKING:
    from collections.abc import Callable

    Install = Callable[..., Path]

UNKNOWN = "Install dovetail-sqlite from where you installed dovetail."
NOTES = {"flavors": {"notes": "acme_notes"}}


def handing_out(hook: str = "dovetail_flavors", answer: str = "{'notes': list}") -> str:
    return f"from dovetail import hookimpl\n\n@hookimpl\ndef {hook}():\n    return {answer}\n"


class TestFinding:
    def test_a_key_gives_what_its_plugin_hands_out(self, installed: Install) -> None:
        installed("acme-notes", NOTES, acme_notes=handing_out())
        assert Plugins().find("flavors", "notes") is list

    def test_only_the_plugin_that_claims_the_key_is_imported(self, installed: Install) -> None:
        installed("acme-notes", {"flavors": {"notes": "acme_notes", "other": "acme_other"}}, acme_notes=handing_out())
        installed("acme-bomb", {"flavors": {"bomb": "acme_bomb"}}, acme_bomb="raise RuntimeError('boom')")
        plugins = Plugins()
        plugins.find("flavors", "notes")
        assert "acme_notes" in sys.modules
        assert {"acme_bomb", "acme_other"} & set(sys.modules) == set()

    def test_offers_are_read_without_importing(self, installed: Install) -> None:
        installed("acme-bomb", {"flavors": {"bomb": "acme_bomb"}}, acme_bomb="raise RuntimeError('boom')")
        offer = Plugins().offers("flavors")["bomb"]
        assert (offer.value, offer.origin) == ("acme_bomb", "acme-bomb 1.2.3")
        assert "acme_bomb" not in sys.modules

    def test_one_word_may_be_a_key_of_several_kinds(self, installed: Install) -> None:
        source = handing_out("dovetail_env_managers", "{'notes': dict}") + handing_out()
        installed("acme-notes", {"flavors": NOTES["flavors"], "env_managers": NOTES["flavors"]}, acme_notes=source)
        plugins = Plugins()
        assert plugins.find("flavors", "notes") is list
        assert plugins.find("env_managers", "notes") is dict

    def test_a_plugin_is_asked_once(self, installed: Install) -> None:
        installed("acme-notes", NOTES, acme_notes=handing_out(answer="{'notes': lambda: []}"))
        plugins = Plugins()
        assert plugins.find("flavors", "notes") is plugins.find("flavors", "notes")

    def test_threads_that_find_at_once_find_the_same(self, installed: Install) -> None:
        installed(
            "acme-notes",
            NOTES,
            acme_notes="import time; time.sleep(0.1)\n" + handing_out(answer="{'notes': lambda: []}"),
        )
        plugins, found = Plugins(), []
        threads = [threading.Thread(target=lambda: found.append(plugins.find("flavors", "notes"))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 8
        assert len({id(each) for each in found}) == 1

    @pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
    def test_every_kind_has_its_group_and_its_hook(self, installed: Install, kind: Any) -> None:
        installed("acme-notes", {kind.name: {"notes": "acme_notes"}}, acme_notes=handing_out(kind.hook))
        assert callable(getattr(hookspecs, kind.hook))
        assert Plugins().find(kind.name, "notes") is list

    def test_what_nobody_claims_falls_to_the_star(self, installed: Install) -> None:
        source = handing_out("dovetail_artifact_stores", "{'*': list, 'file': dict}")
        installed("acme-any", {"artifact_stores": {"*": "acme_any", "file": "acme_any"}}, acme_any=source)
        mine = handing_out("dovetail_artifact_stores", "{'mine': set}")
        installed("acme-mine", {"artifact_stores": {"mine": "acme_mine"}}, acme_mine=mine)
        plugins = Plugins(point for point in Plugins().installed() if point.distribution.startswith("acme-"))
        found = [plugins.find("artifact_stores", key) for key in ("mine", "file", "webdav", "*")]
        assert found == [set, dict, list, list]
        with pytest.raises(PluginMissing, match="answers for 'x'"):
            plugins.find("flavors", "x")


class TestMissing:
    def test_it_says_what_was_asked_and_what_is_installed(self, installed: Install) -> None:
        installed("acme-notes", {"samplers": {"notes": "acme_notes", "poems": "acme_notes"}})
        with pytest.raises(PluginMissing) as caught:
            Plugins().find("samplers", "zebra")
        assert caught.value.message == "No sampler answers for 'zebra'. Installed: notes, poems."

    def test_it_says_when_nothing_is_installed(self) -> None:
        with pytest.raises(PluginMissing, match=r"No sampler answers for 'zebra'. Installed: none\."):
            Plugins(points=()).find("samplers", "zebra")

    def test_a_misspelling_is_named(self, installed: Install) -> None:
        installed("acme-notes", {"samplers": {"notes": "acme_notes"}})
        with pytest.raises(PluginMissing, match="Did you mean 'notes'"):
            Plugins().find("samplers", "ntoes")

    def test_it_says_what_to_install(self) -> None:
        with pytest.raises(PluginMissing, match=r"Install the plugin that offers it"):
            Plugins(points=()).find("flavors", "zebra")

    def test_a_key_whose_plugin_has_another_name_is_known(self) -> None:
        with pytest.raises(PluginMissing, match=r"dovetail-system|plugins/environments/system"):
            Plugins(points=()).find("env_managers", "local")

    @pytest.mark.parametrize(("kind", "key"), [("tracking_stores", "http"), ("artifact_stores", "gs")])
    def test_what_this_version_does_not_have_is_no_name_to_install(self, kind: str, key: str) -> None:
        with pytest.raises(PluginMissing) as caught:
            Plugins(points=()).find(kind, key)
        assert "has no plugin of its own" in str(caught.value.hint)
        assert "pip install" not in str(caught.value.hint)

    def test_it_says_the_folder_behind_those_that_it_stands_on(self) -> None:
        with pytest.raises(PluginMissing) as caught:
            Plugins(points=()).find("tracking_stores", "sqlite")
        hint = str(caught.value.hint).replace("\\", "/")
        assert re.search(r"install \S+/stores/sql \S+/stores/sqlite$", hint) or hint == UNKNOWN

    @pytest.mark.parametrize("noted", [True, False])
    def test_an_installation_knows_the_folder_that_it_came_from(self, tmp_path: Path, noted: bool) -> None:
        """As pip installs from a checkout: a copy of the core, and a note where it was copied from."""
        checkout, site = tmp_path / "a checkout", tmp_path / "lib" / "python" / "site-packages"
        for folder in ("core", "plugins/stores/sql", "plugins/stores/sqlite"):
            (checkout / folder).mkdir(parents=True)
            needed = 'dependencies = ["dovetail-sql>=0.1"]\n' if folder.endswith("sqlite") else ""
            (checkout / folder / "pyproject.toml").write_text(needed)
        module = Path(str(install_hint.__file__))
        (site / "dovetail").mkdir(parents=True)
        (site / "dovetail" / "install_hint.py").write_text(module.read_text(encoding="utf-8"), encoding="utf-8")
        (site / "dovetail" / "__init__.py").touch()
        (site / "dovetail_core-0.1.dist-info").mkdir()
        (site / "dovetail_core-0.1.dist-info" / "METADATA").write_text("Name: dovetail-core\nVersion: 0.1\n")
        if noted:
            url = json.dumps({"url": (checkout / "core").as_uri(), "dir_info": {}})
            (site / "dovetail_core-0.1.dist-info" / "direct_url.json").write_text(url)
        asked = "import sys; sys.path.insert(0, sys.argv[1]); from dovetail.install_hint import install_hint as hint"
        done = subprocess.run(
            [sys.executable, "-S", "-c", f"{asked}; print(hint('tracking_stores', 'sqlite'))", str(site)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        stores = checkout / "plugins" / "stores"
        command = f"{sys.executable} -m pip install {shlex.join([str(stores / 'sql'), str(stores / 'sqlite')])}"
        assert done.stdout.strip() == (f"Install it with: {command}" if noted else UNKNOWN)

    @pytest.mark.parametrize("key", ["", "a b", "../up", "x; rm -rf /", "[", "*x*", "-r"])
    def test_what_no_distribution_is_called_is_not_recommended(self, key: str) -> None:
        with pytest.raises(PluginMissing) as caught:
            Plugins(points=()).find("flavors", key)
        assert caught.value.hint is None


class TestConflicts:
    def test_both_ways_out_are_named(self, installed: Install) -> None:
        installed("acme-notes", NOTES, acme_notes=handing_out())
        installed("zeta-notes", {"flavors": {"notes": "zeta_notes"}}, zeta_notes=handing_out())
        with pytest.raises(PluginConflict) as caught:
            Plugins().find("flavors", "notes")
        assert "BLOCK=acme-notes or DOVETAIL_PLUGINS_BLOCK=zeta-notes." in str(caught.value.hint)

    def test_two_distributions_that_claim_one_key_are_both_named(self, installed: Install) -> None:
        installed("acme-notes", NOTES, acme_notes=handing_out())
        installed("zeta-notes", {"flavors": {"notes": "zeta_notes"}}, version="9.0", zeta_notes=handing_out())
        with pytest.raises(PluginConflict, match=r"'notes' is claimed by acme-notes 1\.2\.3 and by zeta-notes 9\.0"):
            Plugins().find("flavors", "notes")
        assert {"acme_notes", "zeta_notes"} & set(sys.modules) == set()

    def test_blocking_one_of_them_settles_it(self, installed: Install, monkeypatch: pytest.MonkeyPatch) -> None:
        installed("acme-notes", NOTES, acme_notes=handing_out())
        installed("zeta-notes", {"flavors": {"notes": "zeta_notes"}}, zeta_notes=handing_out(answer="{'notes': set}"))
        monkeypatch.setenv("DOVETAIL_PLUGINS_BLOCK", "acme-notes")
        assert Plugins().find("flavors", "notes") is set

    def test_other_keys_are_not_touched(self, installed: Install) -> None:
        installed("acme-notes", NOTES, acme_notes=handing_out())
        for name in ("one", "two"):
            installed(f"acme-{name}", {"flavors": {"twice": f"acme_{name}"}})
        assert Plugins().find("flavors", "notes") is list


class TestBlocking:
    @pytest.mark.parametrize("entry", ["acme-notes", "notes", "other, acme-notes", "Acme_Notes"])
    def test_a_blocked_plugin_is_not_imported(
        self, installed: Install, monkeypatch: pytest.MonkeyPatch, entry: str
    ) -> None:
        installed("acme-notes", NOTES, acme_notes=handing_out())
        monkeypatch.setenv("DOVETAIL_PLUGINS_BLOCK", entry)
        plugins = Plugins()
        with pytest.raises(PluginBlocked, match=r"'notes' \(acme-notes 1\.2\.3\) is installed but kept out"):
            plugins.find("flavors", "notes")
        assert "notes" not in plugins.offers("flavors")
        assert "acme-notes" in {point.distribution for point in plugins.installed()}
        assert "acme_notes" not in sys.modules

    def test_what_is_not_allowed_is_blocked(self, installed: Install, monkeypatch: pytest.MonkeyPatch) -> None:
        installed("acme-notes", NOTES, acme_notes=handing_out())
        installed("acme-poems", {"flavors": {"poems": "acme_poems"}}, acme_poems=handing_out())
        monkeypatch.setenv("DOVETAIL_PLUGINS_ALLOW", "acme-notes")
        assert Plugins().find("flavors", "notes") is list
        with pytest.raises(PluginBlocked):
            Plugins().find("flavors", "poems")

    def test_the_block_list_wins(self, installed: Install, monkeypatch: pytest.MonkeyPatch) -> None:
        installed("acme-notes", NOTES, acme_notes=handing_out())
        monkeypatch.setenv("DOVETAIL_PLUGINS_ALLOW", "notes")
        monkeypatch.setenv("DOVETAIL_PLUGINS_BLOCK", "notes")
        with pytest.raises(PluginBlocked):
            Plugins().find("flavors", "notes")

    def test_a_blocked_key_does_not_fall_to_the_star(self, installed: Install, monkeypatch: pytest.MonkeyPatch) -> None:
        source = handing_out("dovetail_artifact_stores", "{'*': 'anything'}")
        installed("acme-any", {"artifact_stores": {"*": "acme_any"}}, acme_any=source)
        installed("acme-mine", {"artifact_stores": {"mine": "acme_mine"}})
        monkeypatch.setenv("DOVETAIL_PLUGINS_BLOCK", "acme-mine")
        with pytest.raises(PluginBlocked):
            Plugins().find("artifact_stores", "mine")

    def test_a_blocked_observer_hears_nothing(self, installed: Install, monkeypatch: pytest.MonkeyPatch) -> None:
        source = handing_out("dovetail_run_tags", "{'a': '1'}")
        installed("acme-hooks", {"hooks": {"acme": "acme_hooks"}}, acme_hooks=source)
        monkeypatch.setenv("DOVETAIL_PLUGINS_BLOCK", "acme-hooks")
        assert {"a": "1"} not in Plugins().collect("dovetail_run_tags")
        assert "acme_hooks" not in sys.modules


class TestBroken:
    def test_a_failing_import_reports_its_own_error_and_whose_it_is(self, installed: Install) -> None:
        installed("acme-notes", NOTES, version="4.5", acme_notes="import no_such_library_anywhere")
        with pytest.raises(PluginBroken) as caught:
            Plugins().find("flavors", "notes")
        assert "'notes' (acme-notes 4.5) cannot be imported" in caught.value.message
        assert "ModuleNotFoundError: No module named 'no_such_library_anywhere'" in caught.value.message
        assert isinstance(caught.value.__cause__, ModuleNotFoundError)

    @pytest.mark.parametrize("end", ["SystemExit", "GeneratorExit", "BaseException"])
    def test_a_module_that_ends_the_interpreter_is_broken(self, installed: Install, end: str) -> None:
        installed("acme-notes", NOTES, acme_notes=f"raise {end}(3)")
        with pytest.raises(PluginBroken, match=rf"acme-notes 1\.2\.3\) cannot be imported: {end}: 3"):
            Plugins().find("flavors", "notes")

    def test_what_cannot_be_called_is_broken(self, installed: Install) -> None:
        installed("acme-notes", NOTES, acme_notes=handing_out(answer="{'notes': 5}"))
        with pytest.raises(PluginBroken, match=r"acme-notes 1\.2\.3\) hands out 5 .*'notes', which cannot be called"):
            Plugins().find("flavors", "notes")

    def test_a_misspelt_hook_is_refused(self, installed: Install) -> None:
        installed("acme-notes", NOTES, acme_notes=handing_out() + handing_out("dovetail_flavour"))
        plugins = Plugins()
        with pytest.raises(PluginBroken, match=r"acme-notes 1\.2\.3 does not fit .*dovetail_flavour"):
            plugins.find("flavors", "notes")

    def test_an_argument_no_hook_has_is_refused(self, installed: Install) -> None:
        source = "from dovetail import hookimpl\n\n@hookimpl\ndef dovetail_run_started(runn): ...\n"
        installed("acme-notes", NOTES, acme_notes=handing_out() + source)
        with pytest.raises(PluginBroken, match=r"acme-notes 1\.2\.3 does not fit .*runn"):
            Plugins().find("flavors", "notes")

    def test_one_misspelt_hook_does_not_spoil_other_plugins(self, installed: Install) -> None:
        installed("acme-bad", {"flavors": {"bad": "acme_bad"}}, acme_bad=handing_out("dovetail_flavour"))
        installed("acme-notes", NOTES, acme_notes=handing_out())
        plugins = Plugins()
        with pytest.raises(PluginBroken):
            plugins.find("flavors", "bad")
        assert plugins.find("flavors", "notes") is list
        with pytest.raises(PluginBroken):
            plugins.find("flavors", "bad")

    def test_a_key_that_is_claimed_but_not_handed_out(self, installed: Install) -> None:
        installed("acme-notes", NOTES, acme_notes=handing_out(answer="{'poems': 1}"))
        with pytest.raises(
            PluginBroken, match=r"\(acme-notes 1\.2\.3\) claims .*'notes', but hands out only \['poems'\]"
        ):
            Plugins().find("flavors", "notes")

    @pytest.mark.parametrize("source", ["", "def dovetail_flavors(): return {}", handing_out(answer="['notes']")])
    def test_a_module_that_hands_out_no_mapping(self, installed: Install, source: str) -> None:
        installed("acme-notes", NOTES, acme_notes=source)
        with pytest.raises(PluginBroken, match=r"\(acme-notes 1\.2\.3\) has no dovetail_flavors\(\) that answers"):
            Plugins().find("flavors", "notes")

    def test_a_hook_that_fails_reports_its_own_error_and_whose_it_is(self, installed: Install) -> None:
        installed("acme-notes", NOTES, acme_notes=handing_out(answer="1 / 0"))
        with pytest.raises(
            PluginBroken, match=r"\(acme-notes 1\.2\.3\) failed in dovetail_flavors\(\): ZeroDivisionError"
        ):
            Plugins().find("flavors", "notes")


class Observer:
    def __init__(self, name: str = "x") -> None:
        self.name = name
        self.heard: list[Any] = []

    @hookimpl
    def dovetail_run_tags(self) -> dict[str, str] | None:
        return {self.name: "1"} if self.name else None

    @hookimpl
    def dovetail_event(self, event: Any) -> None:
        self.heard.append(event)
        if event.get("fail") == self.name:
            raise RuntimeError(self.name)

    @hookimpl
    def dovetail_authorize(self, action: str) -> bool | None:
        return True if action == self.name else None


class TestBroadcast:
    def test_answers_are_collected_from_all_in_order(self) -> None:
        plugins = Plugins(points=())
        for name in ("a", "", "b"):
            plugins.register(Observer(name))
        assert plugins.collect("dovetail_run_tags") == [{"a": "1"}, {"b": "1"}]

    def test_entry_points_of_the_group_hooks_take_part(self, installed: Install) -> None:
        source = handing_out("dovetail_run_tags", "{'git': 'abc'}")
        installed("acme-git", {"hooks": {"git": "acme_git"}}, acme_git=source)
        plugins = Plugins()
        assert "acme_git" not in sys.modules
        assert {"git": "abc"} in plugins.collect("dovetail_run_tags")

    def test_plugins_nobody_asked_for_take_no_part(self, installed: Install) -> None:
        installed("acme-notes", NOTES, acme_notes=handing_out() + handing_out("dovetail_run_tags", "{'n': '1'}"))
        plugins = Plugins()
        assert {"n": "1"} not in plugins.collect("dovetail_run_tags")
        plugins.find("flavors", "notes")
        assert {"n": "1"} in plugins.collect("dovetail_run_tags")

    def test_a_question_goes_to_everyone_until_one_answers(self) -> None:
        plugins = Plugins(points=())
        plugins.register(Observer("read"))
        plugins.register(Observer("write"))
        asked = {"principal": None, "resource": "x"}
        answers = [plugins.ask("dovetail_authorize", action=action, **asked) for action in ("read", "write", "own")]
        assert answers == [True, True, None]

    def test_an_observer_that_fails_is_a_warning_and_hurts_nobody_else(self) -> None:
        plugins, observers = Plugins(points=()), [Observer("a"), Observer("b"), Observer("c")]
        for observer in observers:
            plugins.register(observer)
        with pytest.warns(UserWarning, match=r"failed in dovetail_event: RuntimeError\('b'\)"):
            plugins.tell("dovetail_event", event={"fail": "b"})
        assert [len(observer.heard) for observer in observers] == [1, 1, 1]

    def test_the_warning_says_whose_observer_failed(self, installed: Install) -> None:
        source = "from dovetail import hookimpl\n\n@hookimpl\ndef dovetail_event(event): raise RuntimeError('oh')\n"
        installed("acme-watch", {"hooks": {"watch": "acme_watch"}}, acme_watch=source)
        with pytest.warns(UserWarning, match=r"Plugin acme_watch \(acme-watch 1\.2\.3\) failed in dovetail_event"):
            Plugins().tell("dovetail_event", event=Event(Event.LOGGED, "r", "memory://runs"))

    def test_a_broken_observer_is_a_warning_and_the_others_hear(self, installed: Install) -> None:
        installed("acme-bad", {"hooks": {"bad": "acme_bad"}}, acme_bad="import no_such_library_anywhere")
        installed("acme-git", {"hooks": {"git": "acme_git"}}, acme_git=handing_out("dovetail_run_tags", "{'git': '1'}"))
        plugins = Plugins()
        with pytest.warns(UserWarning, match=r"'bad' \(acme-bad 1\.2\.3\) cannot be imported"):
            tags = plugins.collect("dovetail_run_tags")
        assert {"git": "1"} in tags
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert {"git": "1"} in plugins.collect("dovetail_run_tags")  # said once


class TestByHand:
    def test_a_plugin_of_a_script_answers_for_its_key(self) -> None:
        class Plugin:
            @hookimpl
            def dovetail_flavors(self) -> dict[str, str]:
                return {"notes": list}

        plugins = Plugins(points=())
        plugins.register(Plugin(), "flavors", "notes")
        assert plugins.find("flavors", "notes") is list

    def test_a_key_it_does_not_hand_out_is_refused(self) -> None:
        class Plugin:
            @hookimpl
            def dovetail_flavors(self) -> dict[str, str]:
                return {"notes": list}

        with pytest.raises(PluginBroken, match=r"registered by hand claims .*'poems', but hands out only \['notes'\]"):
            Plugins(points=()).register(Plugin(), "flavors", "poems")


class TestTracing:
    def test_calls_and_answers_are_printed(
        self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("DOVETAIL_TRACE_HOOKS", "1")
        plugins = Plugins(points=())
        plugins.register(Observer("a"))
        plugins.collect("dovetail_run_tags")
        printed = capfd.readouterr()
        assert "dovetail: dovetail_run_tags() -> ['by-hand-" in printed.err
        assert "dovetail: dovetail_run_tags = [{'a': '1'}]" in printed.err
        assert printed.out == ""

    def test_a_failing_hook_is_printed_with_its_error(
        self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("DOVETAIL_TRACE_HOOKS", "1")
        plugins = Plugins(points=())
        plugins.register(Observer("a"))
        with pytest.warns(UserWarning, match="failed in dovetail_event"):
            plugins.tell("dovetail_event", event={"fail": "a"})
        assert "dovetail: dovetail_event = RuntimeError('a')" in capfd.readouterr().err

    def test_nothing_is_printed_unasked(self, capfd: pytest.CaptureFixture[str]) -> None:
        plugins = Plugins(points=())
        plugins.register(Observer("a"))
        plugins.collect("dovetail_run_tags")
        assert capfd.readouterr().err == ""


def test_the_hooks_that_hand_things_out_are_those_of_the_kinds() -> None:
    hooks = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("dovetail_")}
    answers = {name: str(hook.__annotations__["return"]) for name, hook in hooks.items()}
    mappings = {name for name, answer in answers.items() if answer.startswith("Mapping[") and "None" not in answer}
    assert mappings == {kind.hook for kind in KINDS.values()}


def test_asking_what_is_offered_loads_no_pluggy(installed: Install, site: Path) -> None:
    installed("acme-bomb", {"flavors": {"bomb": "acme_bomb"}}, acme_bomb="raise RuntimeError('boom')")
    program = (
        f"import sys; sys.path.insert(0, {str(site)!r}); from dovetail.plugins import offers; "
        "print('bomb' in offers('flavors'), 'acme_bomb' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]
