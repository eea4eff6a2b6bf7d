"""Images as artifacts: single files and series over the steps of a run."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import dovetail as mlflow
from dovetail.errors import DovetailError, InvalidInput, InvalidName, InvalidUri, NotFound, PluginMissing, RunEnded

np = pytest.importorskip("numpy")
pil = pytest.importorskip("PIL.Image")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SERIES = re.compile(r"images/(?P<key>.+)\+step\+(?P<step>-?\d+)\+timestamp\+(?P<timestamp>\d+)\+[0-9a-f-]{36}")


@pytest.fixture
def kept(artifacts: Callable[[str], dict[str, bytes]]) -> Iterator[dict[str, bytes]]:
    """The artifacts of the active run, by path."""
    with mlflow.start_run() as run:
        yield artifacts(run.info.run_id)


def opened(content: bytes) -> Any:
    return pil.open(io.BytesIO(content))


class TestFiles:
    @pytest.mark.parametrize(
        ("image", "mode"),
        [
            (np.zeros((4, 6), np.uint8), "L"),
            (np.zeros((4, 6, 1), np.uint8), "L"),
            (np.zeros((4, 6, 3), np.int64), "RGB"),
            (np.zeros((4, 6, 4), np.float32), "RGBA"),
            (np.zeros((4, 6), bool), "L"),
            ([[0, 255, 3, 4, 5, 6]] * 4, "L"),
            (pil.new("RGB", (6, 4)), "RGB"),
            (mlflow.Image(np.zeros((4, 6), np.uint8)), "L"),
        ],
    )
    def test_from_whatever_holds_one(self, image: Any, mode: str, kept: dict[str, bytes]) -> None:
        mlflow.log_image(image, "samples/first.png")
        picture = opened(kept["samples/first.png"])
        assert (picture.size, picture.mode, picture.format) == ((6, 4), mode, "PNG")

    def test_numbers_are_what_people_see(self, kept: dict[str, bytes]) -> None:
        mlflow.log_image(np.array([[0.0, 0.5, 1.0]]), "floats.png")
        mlflow.log_image(np.array([[False, True]]), "bools.png")
        assert list(opened(kept["floats.png"]).tobytes()) == [0, 128, 255]
        assert list(opened(kept["bools.png"]).tobytes()) == [0, 255]

    @pytest.mark.parametrize(("name", "kind"), [("a.jpg", "JPEG"), ("a.JPEG", "JPEG"), ("a.webp", "WEBP")])
    def test_the_ending_decides_the_format(self, name: str, kind: str, kept: dict[str, bytes]) -> None:
        mlflow.log_image(np.zeros((4, 4, 3), np.uint8), name)
        assert opened(kept[name]).format == kind

    @pytest.mark.parametrize(
        ("image", "words"),
        [
            (np.full((2, 2), 1.5), "from 1.5 to 1.5"),
            (np.full((2, 2), np.nan), "nan"),
            (np.full((2, 2), -1), "from -1"),
            (np.full((2, 2), 256), "between 0 and 255"),
            (np.zeros((2, 2), complex), "complex"),
            (np.array([["a"]]), "type <U1"),
            (np.zeros(3), "shape (3,)"),
            (np.zeros((2, 2, 5)), "shape (2, 2, 5)"),
            (np.zeros((0, 4)), "shape (0, 4)"),
            ([[1, 2], [3]], "read as an array"),
            ("photo.png", "made from str"),
            (None, "made from NoneType"),
        ],
    )
    def test_what_is_no_image_is_said_and_leaves_nothing(self, image: Any, words: str, kept: dict[str, bytes]) -> None:
        with pytest.raises(InvalidInput, match=re.escape(words)):
            mlflow.log_image(image, "a.png")
        with pytest.raises(InvalidInput, match=re.escape(words)):
            mlflow.log_image(image, key="a")
        assert kept == {}

    @pytest.mark.parametrize("name", ["a.txt", "a", "folder/"])
    def test_a_name_that_is_no_image_s_is_refused(self, name: str, kept: dict[str, bytes]) -> None:
        with pytest.raises(InvalidInput):
            mlflow.log_image(np.zeros((2, 2)), name)
        assert kept == {}

    @pytest.mark.parametrize("name", ["../a.png", "/a.png", "a\0.png"])
    def test_a_name_that_leads_elsewhere_is_refused(self, name: str, kept: dict[str, bytes]) -> None:
        with pytest.raises(InvalidUri):
            mlflow.log_image(np.zeros((2, 2)), name)
        assert kept == {}

    def test_a_format_that_cannot_hold_it_is_said(self, kept: dict[str, bytes]) -> None:
        with pytest.raises(InvalidInput, match="RGBA as JPEG"):
            mlflow.log_image(np.zeros((2, 2, 4)), "a.jpg")
        assert kept == {}


class TestSeries:
    def test_names_tell_key_step_and_time_and_a_preview_lies_beside_it(self, kept: dict[str, bytes]) -> None:
        mlflow.log_image(np.zeros((300, 600, 3), np.uint8), key="samples/dog 1", step=7, timestamp=1234)
        preview, whole = sorted(kept)
        found = SERIES.fullmatch(whole.removesuffix(".png"))
        assert found is not None
        assert (found["key"], found["step"], found["timestamp"]) == ("samples~dog 1", "7", "1234")
        assert preview == whole.replace(".png", "+compressed.webp")
        assert opened(kept[whole]).size == (600, 300)
        assert opened(kept[preview]).size == (256, 128)

    def test_images_of_one_step_do_not_replace_each_other(self, kept: dict[str, bytes]) -> None:
        for _ in range(3):
            mlflow.log_image(np.zeros((2, 2)), key="a", step=1, timestamp=1)
        assert len(kept) == 6

    def test_the_run_says_that_it_has_some(self, kept: dict[str, bytes]) -> None:
        mlflow.log_image(np.zeros((2, 2)), key="a")
        run = mlflow.active_run()
        assert run is not None
        assert run.data.tags["mlflow.loggedImages"] == "True"
        assert SERIES.match(min(kept))

    @pytest.mark.parametrize("mode", ["P", "I;16", "1", "LA", "RGBA"])
    def test_previews_of_every_kind_of_picture(self, mode: str, kept: dict[str, bytes]) -> None:
        mlflow.Client().log_image(active(), pil.new("RGB", (4, 4)).convert(mode) if mode != "I;16" else wide(), key="a")
        assert opened(kept[min(kept)]).format == "WEBP"

    @pytest.mark.parametrize("mode", ["F", "CMYK"])
    def test_a_picture_that_png_cannot_hold_is_said(self, mode: str, kept: dict[str, bytes]) -> None:
        with pytest.raises(InvalidInput, match=f"mode {mode}"):
            mlflow.log_image(pil.new(mode, (2, 2)), key="a")
        assert kept == {}

    @pytest.mark.parametrize("key", ["", "../x", "a//b", "a+b", "k" * 300, 3])
    def test_keys_are_those_of_metrics(self, key: Any, kept: dict[str, bytes]) -> None:
        with pytest.raises((InvalidName, InvalidInput)):
            mlflow.log_image(np.zeros((2, 2)), key=key)
        assert kept == {}

    @pytest.mark.parametrize("key", ["k" * 240, "ü" * 90])
    def test_a_key_too_long_to_call_files_after_leaves_nothing(self, key: str, kept: dict[str, bytes]) -> None:
        with pytest.raises(InvalidName, match=r"\d+ are left for it"):
            mlflow.log_image(np.zeros((2, 2)), key=key)
        assert kept == {}

    @pytest.mark.parametrize("options", [{"step": "x"}, {"step": 1.5}, {"timestamp": -1}, {"timestamp": "now"}])
    def test_steps_and_times_are_whole_numbers(self, options: dict[str, Any], kept: dict[str, bytes]) -> None:
        with pytest.raises(InvalidInput):
            mlflow.log_image(np.zeros((2, 2)), key="a", **options)
        assert kept == {}

    @pytest.mark.parametrize(
        "options", [{}, {"artifact_file": "a.png", "key": "a"}, {"artifact_file": "a.png", "step": 1}]
    )
    def test_either_a_file_or_a_series(self, options: dict[str, Any], kept: dict[str, bytes]) -> None:
        with pytest.raises(InvalidInput):
            mlflow.log_image(np.zeros((2, 2)), **options)
        assert kept == {}


def active() -> str:
    run = mlflow.active_run()
    assert run is not None
    return run.info.run_id


def wide() -> Any:
    return pil.fromarray(np.full((4, 4), 40_000, np.uint16))


def test_a_preview_of_sixteen_bits_is_as_bright_as_its_picture(kept: dict[str, bytes]) -> None:
    mlflow.log_image(wide(), key="a")
    assert abs(opened(kept[min(kept)]).convert("L").getpixel((1, 1)) - 40_000 // 256) < 4


def test_a_deleted_run_takes_no_image_and_an_unknown_one_is_said(artifacts: Callable[[str], dict[str, bytes]]) -> None:
    with mlflow.start_run() as run:
        pass
    mlflow.delete_run(run.info.run_id)
    with pytest.raises(RunEnded):
        mlflow.log_image(np.zeros((2, 2)), key="a", run_id=run.info.run_id)
    assert artifacts(run.info.run_id) == {}
    with pytest.raises(NotFound):
        mlflow.log_image(np.zeros((2, 2)), key="a", run_id="f" * 32)


class TestImage:
    def test_goes_to_and_fro(self, tmp_path: Any) -> None:
        image = mlflow.Image([[0, 128], [255, 3]])
        assert image.to_list() == [[0, 128], [255, 3]]
        assert image.to_array().shape == (2, 2)
        assert image.resize((4, 6)).to_pil().size == (4, 6)
        image.save(tmp_path / "a.png")
        assert mlflow.Image(pil.open(tmp_path / "a.png")).to_list() == image.to_list()
        assert repr(image) == "Image(2x2, 'L')"

    def test_comes_from_a_file_too(self, tmp_path: Path) -> None:
        mlflow.Image([[7]]).save(tmp_path / "a.png")
        assert mlflow.Image(tmp_path / "a.png").to_list() == mlflow.Image(str(tmp_path / "a.png")).to_list() == [[7]]

    def test_a_file_that_is_none_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "text.png").write_text("text", encoding="utf-8")
        (tmp_path / "half.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
        with pytest.raises(NotFound, match=r"gone\.png"):
            mlflow.Image(tmp_path / "gone.png")
        for path in (tmp_path / "text.png", tmp_path / "half.png", tmp_path, "a\0b"):
            with pytest.raises(InvalidInput, match="cannot be read"):
                mlflow.Image(path)

    @pytest.mark.parametrize("name", ["a.nothing", "a", "no/such/folder/a.png"])
    def test_a_place_it_cannot_be_saved_at_is_said(self, name: str, tmp_path: Path) -> None:
        with pytest.raises(InvalidInput):
            mlflow.Image([[0]]).save(tmp_path / name)

    @pytest.mark.parametrize("size", [(0, 1), (-1, 2), 3, "ab", (1, 2, 3)])
    def test_what_is_no_size_is_said(self, size: Any) -> None:
        with pytest.raises(InvalidInput, match="size"):
            mlflow.Image([[0]]).resize(size)

    def test_without_pillow_the_error_says_what_to_install(self, tmp_path: Any) -> None:
        (tmp_path / "PIL.py").write_text("raise ImportError('no pillow here')")
        script = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import dovetail; dovetail.Image([[1]])"
        ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        assert "PluginMissing" in ended.stderr
        assert "pip install pillow" in ended.stderr

    def test_its_errors_are_ours(self) -> None:
        assert issubclass(PluginMissing, DovetailError)
        with pytest.raises(InvalidInput):
            mlflow.Image({"a": 1})  # type: ignore[arg-type]
