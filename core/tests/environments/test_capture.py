from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.environments import capture
from dovetail.environments.pickles import modules_in
from dovetail.errors import InvalidModel

if TYPE_CHECKING:
    from collections.abc import Callable


class Trap:
    """Whoever unpickles it leaves a trace."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return Path.touch, (self.trace,)


@pytest.fixture
def file(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(content: bytes) -> Path:
        (tmp_path / "model.pkl").write_bytes(content)
        return tmp_path / "model.pkl"

    return write


class TestPickles:
    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_reading_one_never_executes_it(self, protocol: int, file: Callable[[bytes], Path], tmp_path: Path) -> None:
        trap = file(pickle.dumps([Trap(tmp_path / "trace"), json.JSONDecoder], protocol))
        assert "json.decoder" in modules_in(trap)
        assert not (tmp_path / "trace").exists()
        with trap.open("rb") as stream:
            pickle.load(stream)
        assert (tmp_path / "trace").exists(), "the trap works"

    @pytest.mark.parametrize(
        "content",
        [
            b"cos\nsystem\n(S'touch trace'\ntR.",
            b"(S'touch trace'\nios\nsystem\n.",
            b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x0btouch trace\x85R.",
            b"\x80\x04\x8c\x02os\x94\x8c\x01x0h\x00\x8c\x06system\x93)R.",
        ],
    )
    def test_names_are_seen_however_they_are_written(self, content: bytes, file: Callable[[bytes], Path]) -> None:
        assert "os" in modules_in(file(content))

    def test_a_name_is_seen_through_the_memo(self, file: Callable[[bytes], Path]) -> None:
        classes = [json.JSONDecoder, json.JSONEncoder, json.decoder.JSONDecodeError]
        assert modules_in(file(pickle.dumps(classes))) == {"json.decoder", "json.encoder"}

    def test_functions_by_value_show_what_they_import(self, file: Callable[[bytes], Path]) -> None:
        cloudpickle = pytest.importorskip("cloudpickle")

        def predict(data: Any) -> Any:
            import numpy.linalg

            def inner() -> Any:
                from module_of_mine.deep import answer

                return answer

            return numpy.linalg.norm(data), inner(), pickle.dumps, pytest.approx

        found = modules_in(file(cloudpickle.dumps(predict)))
        assert {"numpy.linalg", "module_of_mine.deep", "pickle", "pytest"} <= found

    @pytest.mark.parametrize("content", [b"", b"no pickle", b"\x80\x04\x8c\xffshort", pickle.dumps([1, 2])[:-1]])
    def test_what_is_no_pickle_is_an_error(self, content: bytes, file: Callable[[bytes], Path]) -> None:
        with pytest.raises(InvalidModel, match="no pickle"):
            modules_in(file(content))

    def test_one_that_makes_no_sense_is_read_to_its_end(self, file: Callable[[bytes], Path]) -> None:
        assert modules_in(file(b"\x80\x04\x93R\x94h\x07\x85tR0000cos\nsystem\n.")) == {"os"}


class TestCode:
    def test_imports_are_found_without_running_it(self, tmp_path: Path) -> None:
        (tmp_path / "code" / "package").mkdir(parents=True)
        (tmp_path / "code" / "main.py").write_text(
            "import numpy.linalg as n, package.part\nfrom yaml import dump\nfrom . import x\nraise SystemExit\n"
            "def f():\n    import lazy_one\n",
            encoding="utf-8",
        )
        (tmp_path / "code" / "package" / "part.py").write_text("import main, deep_one.x\n", encoding="utf-8")
        assert capture.imports_in(tmp_path / "code") == {"numpy", "yaml", "lazy_one", "deep_one"}

    def test_a_file_that_is_no_python_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "old.py").write_text("print 'hello'\n", encoding="utf-8")
        with pytest.warns(UserWarning, match=r"old\.py"):
            assert capture.imports_in(tmp_path) == set()

    def test_what_runs_is_watched(self) -> None:
        with capture.watched_imports() as found:
            import colorsys  # noqa: F401
            import xml.dom  # noqa: F401
        import wave  # noqa: F401

        assert {"colorsys", "xml"} <= found
        assert "wave" not in found


class TestDistributions:
    def test_a_package_leads_to_its_distribution(self) -> None:
        found = capture.distributions_of(["yaml.nodes", "pluggy", "json", "nothing_like_it"])
        assert {package: name.lower() for package, name in found.items()} == {"yaml": "pyyaml", "pluggy": "pluggy"}

    def test_of_the_users_own_there_is_none(self) -> None:
        assert capture.homeless(["json", "pluggy", "my_own.part", "__main__", "builtins"]) == ["my_own"]

    def test_are_pinned_to_what_is_here(self) -> None:
        from importlib.metadata import version

        assert capture.pinned("PyYAML") == f"pyyaml=={version('pyyaml')}"
        assert capture.pinned("nothing-like-it") is None
        assert capture.pinned_all(["yaml", "yaml.nodes", "json"], ["pluggy", "nothing-like-it"]) == [
            f"pluggy=={version('pluggy')}",
            f"pyyaml=={version('pyyaml')}",
        ]

    def test_a_local_version_is_pinned_to_the_public_one(self, installed: Callable[..., Path]) -> None:
        installed("acme-notes", version="2.3+cpu")
        assert capture.pinned("acme_notes") == "acme-notes==2.3"

    @pytest.mark.parametrize(
        ("origin", "line"),
        [
            ({"url": "https://example.com/acme.whl", "archive_info": {}}, "acme-notes @ https://example.com/acme.whl"),
            (
                {"url": "https://example.com/acme", "vcs_info": {"vcs": "git", "commit_id": "abc"}},
                "acme-notes @ git+https://example.com/acme@abc",
            ),
            ({"url": "file:///home/me/acme", "dir_info": {"editable": True}}, "acme-notes==1.2.3"),
            ("no mapping", "acme-notes==1.2.3"),
        ],
    )
    def test_from_an_address_are_pinned_to_it(self, origin: Any, line: str, installed: Callable[..., Path]) -> None:
        (installed("acme-notes") / "direct_url.json").write_text(json.dumps(origin), encoding="utf-8")
        assert capture.pinned("acme-notes") == line

    def test_from_this_machine_are_known(self, installed: Callable[..., Path]) -> None:
        folder = installed("acme-notes", acme_notes="")
        (folder / "top_level.txt").write_text("acme_notes\n", encoding="utf-8")
        (folder / "direct_url.json").write_text('{"url": "file:///home/me/acme"}', encoding="utf-8")
        assert capture.of_this_machine(["acme_notes", "pluggy", "dovetail"]) == ["acme-notes"]

    def test_installed_later_are_seen(self, installed: Callable[..., Path]) -> None:
        assert capture.homeless(["acme_notes"]) == ["acme_notes"]
        (installed("acme-notes", acme_notes="") / "top_level.txt").write_text("acme_notes\n", encoding="utf-8")
        assert capture.homeless(["acme_notes"]) == []

    def test_what_others_require_is_met(self) -> None:
        assert capture.unmet(["iniconfig", "pluggy", "yaml", "json"], ["pytest"]) == {"yaml"}
