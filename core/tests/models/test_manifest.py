from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dovetail.errors import DovetailError, InvalidModel
from dovetail.models.manifest import Manifest, inside
from dovetail.models.signature import infer_signature

if TYPE_CHECKING:
    from pathlib import Path


def written(folder: Path, text: str) -> Path:
    (folder / "MLmodel").write_text(text, encoding="utf-8")
    return folder


class TestWriting:
    def test_reads_back_as_it_was(self, tmp_path: Path) -> None:
        manifest = Manifest(
            flavors={"python_function": {"loader_module": "mlflow.sklearn"}, "sklearn": {"pickled_model": "model.pkl"}},
            model_uuid="a" * 32,
            utc_time_created="2026-01-31 12:00:00.000000",
            artifact_path="model",
            run_id="b" * 32,
            signature=infer_signature({"x": 1.0}, 2),
            saved_input_example_info={"type": "json_object"},
            metadata={"who": "me", "deep": {"n": [1, 2.5, None, True]}},
            model_size_bytes=12,
            digests={"model.pkl": "c" * 64},
        )
        manifest.write(tmp_path)
        assert Manifest.read(tmp_path) == manifest

    def test_leaves_out_what_is_not_known(self, tmp_path: Path) -> None:
        Manifest(flavors={"python_function": {}}).write(tmp_path)
        assert (tmp_path / "MLmodel").read_text(encoding="utf-8") == "flavors:\n  python_function: {}\n"

    def test_keeps_what_other_writers_say(self, tmp_path: Path) -> None:
        written(tmp_path, "flavors:\n  python_function: {}\nmlflow_version: 2.9.2\nprompts: null\n")
        manifest = Manifest.read(tmp_path)
        assert manifest.other == {"mlflow_version": "2.9.2", "prompts": None}
        manifest.write(tmp_path)
        assert "mlflow_version: 2.9.2" in (tmp_path / "MLmodel").read_text(encoding="utf-8")

    def test_numbers_of_libraries_become_plain(self, tmp_path: Path) -> None:
        numpy = pytest.importorskip("numpy")
        Manifest(flavors={"python_function": {"best": numpy.float64(0.5)}}).write(tmp_path)
        assert Manifest.read(tmp_path).flavors["python_function"] == {"best": 0.5}

    def test_objects_are_refused_where_they_stand(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidModel, match=r"metadata\.who is a object"):
            Manifest(flavors={"python_function": {}}, metadata={"who": object()}).write(tmp_path)
        assert not (tmp_path / "MLmodel").exists()


class TestReading:
    def test_a_folder_without_one_is_no_model(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidModel, match="no MLmodel"):
            Manifest.read(tmp_path)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "names no flavors"),
            ("flavors: sklearn", "names no flavors"),
            ("flavors: {}", "names no flavors"),
            ("flavors: {python_function: x}", "python_function"),
            ("flavors: {../x: {}}", r"\.\./x"),
            ("flavors: {1: {}}", "flavor 1"),
            ("flavors: {a: {}}\nsignature: [1]", "signature must be a mapping"),
            ("flavors: {a: {}}\nmetadata: x", "metadata must be a mapping"),
            ("flavors: {a: {}}\ndigests: [x]", "digests must be a mapping"),
            ("flavors: {a: {}}\ndigests: {x: 1}", "digests must be a mapping"),
            ("flavors: {a: {}}\nrun_id: 7", "run_id must be text"),
            ("- a", "line 1"),
            ("flavors: {a: {}", "line"),
            ("flavors: !!python/object/apply:os.system ['true']", "not valid YAML"),
            ("flavors: {a: {}}\nflavors: {b: {}}", "stands twice"),
        ],
    )
    def test_another_shape_is_an_error_that_says_where(self, text: str, said: str, tmp_path: Path) -> None:
        with pytest.raises(InvalidModel, match=said):
            Manifest.read(written(tmp_path, text))

    def test_a_time_that_yaml_reads_as_one_is_text_again(self, tmp_path: Path) -> None:
        manifest = Manifest.read(written(tmp_path, "flavors: {a: {}}\nutc_time_created: 2026-01-31 12:00:00\n"))
        assert manifest.utc_time_created == "2026-01-31 12:00:00"

    def test_a_flavor_it_has_not_is_named(self) -> None:
        with pytest.raises(InvalidModel, match="no flavor 'xgboost'; it has python_function, sklearn"):
            Manifest(flavors={"sklearn": {}, "python_function": {}}).conf("xgboost")

    def test_what_it_hands_out_can_be_changed(self) -> None:
        manifest = Manifest(flavors={"a": {"x": 1}})
        manifest.conf("a")["x"] = 2
        assert manifest.flavors["a"] == {"x": 1}


class TestInside:
    def test_is_a_place_below_the_model(self, tmp_path: Path) -> None:
        assert inside(tmp_path, "a/b.pkl") == tmp_path / "a" / "b.pkl"

    @pytest.mark.parametrize(
        "path", ["../x", "/etc/passwd", "a/../../x", "", None, 7, ["x"], "%2e%2e/x", "C:\\x", "a\0b"]
    )
    def test_other_places_are_refused(self, path: Any, tmp_path: Path) -> None:
        with pytest.raises(DovetailError):
            inside(tmp_path, path)

    def test_a_link_does_not_lead_out(self, tmp_path: Path) -> None:
        (tmp_path / "model").mkdir()
        (tmp_path / "secret").write_text("x", encoding="utf-8")
        (tmp_path / "model" / "link").symlink_to(tmp_path / "secret")
        with pytest.raises(InvalidModel, match="leads out"):
            inside(tmp_path / "model", "link")
