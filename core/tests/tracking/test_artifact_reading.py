"""Getting artifacts back by where they are."""

from __future__ import annotations

import io
import json
import tempfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dovetail as mlflow
from dovetail.errors import InvalidInput, InvalidName, InvalidUri, NotFound, StoreError
from dovetail.values import FileInfo

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

HOSTILE = ["../x.txt", "a/../../x.txt", "/etc/passwd", "~/x.txt", "a\\..\\x", "%2e%2e/x.txt", "a\0b", "file:x", ".. /x"]
NOWHERE = "0" * 32


def png(size: tuple[int, int] = (3, 2)) -> bytes:
    images = pytest.importorskip("PIL.Image")
    buffer = io.BytesIO()
    images.new("RGB", size, (255, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def run_id(artifacts: Callable[[str], dict[str, bytes]]) -> str:
    """A run with some artifacts, which are not on this machine."""
    with mlflow.start_run() as run:
        mlflow.log_text("hello", "d/e/a.txt")
        mlflow.log_dict({"ä": [1, None]}, "d/a.json")
        mlflow.log_dict({"ä": [1, None]}, "d/a.YAML")
        mlflow.log_text("top", "top.txt")
    return str(run.info.run_id)


@pytest.fixture
def keep(run_id: str, artifacts: Callable[[str], dict[str, bytes]]) -> Callable[[str, bytes], str]:
    """``keep(path, content)`` gives the run one more artifact and says by which URI it is read."""

    def put(path: str, content: bytes) -> str:
        artifacts(run_id)[path] = content
        return f"runs:/{run_id}/{path}"

    return put


@pytest.fixture
def local_run_id(store: object) -> str:
    """A run whose artifacts are on this machine."""
    pytest.importorskip("dovetail_fsspec")
    made = mlflow.create_experiment("local", artifact_location="kept artifacts")
    with mlflow.start_run(experiment_id=made) as run:
        mlflow.log_text("hello", "d/e/a.txt")
    return str(run.info.run_id)


def below(folder: str | Path) -> dict[str, str]:
    files = [path for path in Path(folder).rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in files}


class TestDownloading:
    def test_a_file_by_uri_or_by_run_and_path_is_the_same(self, run_id: str) -> None:
        for path in (
            mlflow.artifacts.download_artifacts(f"runs:/{run_id}/d/e/a.txt"),
            mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="d/e/a.txt"),
        ):
            assert Path(path).name == "a.txt"
            assert Path(path).read_text(encoding="utf-8") == "hello"

    def test_what_is_named_arrives_under_its_own_name(self, run_id: str) -> None:
        for location in ({"artifact_uri": f"runs:/{run_id}/d/e"}, {"run_id": run_id, "artifact_path": "d/e"}):
            given = mlflow.artifacts.download_artifacts(**location, dst_path="out")
            assert given == str(Path.cwd() / "out" / "e")
            assert below("out") == {"e/a.txt": "hello"}
        mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="d/e/a.txt", dst_path=Path("one"))
        assert below("one") == {"a.txt": "hello"}

    @pytest.mark.parametrize("uri", [True, False])
    def test_all_of_a_run_goes_right_into_the_folder(self, uri: bool, run_id: str) -> None:
        location: Any = {"artifact_uri": f"runs:/{run_id}"} if uri else {"run_id": run_id}
        assert mlflow.artifacts.download_artifacts(**location, dst_path="all") == str(Path.cwd() / "all")
        assert set(below("all")) == {"d/e/a.txt", "d/a.json", "d/a.YAML", "top.txt"}

    def test_what_is_there_already_is_replaced_and_the_rest_left(self, run_id: str) -> None:
        (Path("out") / "e").mkdir(parents=True)
        for name in ("a.txt", "mine.txt"):
            (Path("out") / "e" / name).write_text("mine", encoding="utf-8")
        mlflow.artifacts.download_artifacts(f"runs:/{run_id}/d/e", dst_path="out")
        assert below("out") == {"e/a.txt": "hello", "e/mine.txt": "mine"}

    def test_what_is_on_this_machine_is_not_copied(self, local_run_id: str) -> None:
        stored = Path("kept artifacts") / local_run_id / "artifacts" / "d" / "e" / "a.txt"
        for location in (f"runs:/{local_run_id}/d/e/a.txt", str(stored), stored, stored.absolute().as_uri()):
            assert Path(mlflow.artifacts.download_artifacts(location)).samefile(stored)
        root = mlflow.artifacts.download_artifacts(run_id=local_run_id)
        assert Path(root).samefile(stored.parents[2])

    def test_unless_a_folder_is_given(self, local_run_id: str) -> None:
        stored = Path("kept artifacts") / local_run_id / "artifacts"
        copy = mlflow.artifacts.download_artifacts(f"runs:/{local_run_id}/d/e/a.txt", dst_path="out")
        Path(copy).write_text("changed", encoding="utf-8")
        assert below(stored) == {"d/e/a.txt": "hello"}
        mlflow.artifacts.download_artifacts(str(stored), dst_path="whole")
        assert below("whole") == {"artifacts/d/e/a.txt": "hello"}

    def test_a_link_out_of_the_run_is_not_followed_from_the_folder_below_it(self, local_run_id: str) -> None:
        Path("secret").mkdir()
        (Path("secret") / "key").write_text("secret", encoding="utf-8")
        link = Path("kept artifacts") / local_run_id / "artifacts" / "link"
        link.symlink_to(Path("secret").absolute(), target_is_directory=True)
        with pytest.raises((InvalidInput, NotFound, StoreError)):
            mlflow.artifacts.download_artifacts(run_id=local_run_id, artifact_path="link/key", dst_path="out")
        with pytest.raises((InvalidInput, NotFound, StoreError)):
            mlflow.artifacts.load_text(f"runs:/{local_run_id}/link/key")
        assert not below("out")

    def test_what_is_not_there_is_not_found_and_leaves_no_folder(
        self, run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "temporary").mkdir()
        monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
        monkeypatch.setattr(tempfile, "tempdir", None)
        for location in (f"runs:/{run_id}/nope", f"runs:/{run_id}/d/nope", f"runs:/{run_id}/top.txt/nope"):
            with pytest.raises(NotFound, match="nope"):
                mlflow.artifacts.download_artifacts(location)
        assert not list((tmp_path / "temporary").iterdir())

    def test_a_run_is_looked_for_where_it_is_said_to_be_tracked(self, run_id: str) -> None:
        home = mlflow.get_tracking_uri()
        mlflow.set_tracking_uri(f"{home}-another")
        with pytest.raises(NotFound):
            mlflow.artifacts.list_artifacts(run_id=run_id)
        with pytest.raises(NotFound):
            mlflow.artifacts.download_artifacts(f"runs:/{run_id}/top.txt")
        assert mlflow.artifacts.list_artifacts(run_id=run_id, artifact_path="d/e", tracking_uri=home)
        copy = mlflow.artifacts.download_artifacts(f"runs:/{run_id}/top.txt", tracking_uri=home)
        assert Path(copy).read_text(encoding="utf-8") == "top"
        assert mlflow.get_tracking_uri() == f"{home}-another"


def paths(entries: list[FileInfo]) -> list[str]:
    return [each.path for each in entries]


class TestListing:
    def test_paths_are_relative_to_the_run(self, run_id: str) -> None:
        root = [FileInfo("d", True), FileInfo("top.txt", False, 3)]
        for location in (f"runs:/{run_id}", f"runs:/{run_id}/"):
            assert mlflow.artifacts.list_artifacts(location) == root
        assert mlflow.artifacts.list_artifacts(run_id=run_id) == root
        assert paths(mlflow.artifacts.list_artifacts(f"runs:/{run_id}/d/e")) == ["d/e/a.txt"]
        assert paths(mlflow.artifacts.list_artifacts(run_id=run_id, artifact_path="d/e")) == ["d/e/a.txt"]

    def test_what_is_listed_can_be_read_by_it(self, run_id: str) -> None:
        entries = mlflow.artifacts.list_artifacts(f"runs:/{run_id}/d/e")
        assert [mlflow.artifacts.load_text(f"runs:/{run_id}/{each.path}") for each in entries] == ["hello"]

    def test_paths_of_other_locations_are_relative_to_the_folder_above(self, local_run_id: str) -> None:
        root = Path("kept artifacts") / local_run_id / "artifacts"
        assert paths(mlflow.artifacts.list_artifacts(str(root))) == ["artifacts/d"]
        assert paths(mlflow.artifacts.list_artifacts((root / "d" / "e").absolute().as_uri())) == ["e/a.txt"]

    def test_a_file_and_what_is_not_there_have_no_entries(self, run_id: str) -> None:
        assert mlflow.artifacts.list_artifacts(f"runs:/{run_id}/top.txt") == []
        assert mlflow.artifacts.list_artifacts(run_id=run_id, artifact_path="nope") == []


BOTH: list[Callable[..., Any]] = [mlflow.artifacts.download_artifacts, mlflow.artifacts.list_artifacts]
READERS: list[Callable[[Any], Any]] = [
    mlflow.artifacts.load_text,
    mlflow.artifacts.load_dict,
    mlflow.artifacts.load_image,
]


class TestSayingWhere:
    @pytest.mark.parametrize("verb", BOTH)
    def test_by_uri_or_by_run(self, verb: Callable[..., Any], run_id: str) -> None:
        for nothing in ({}, {"artifact_path": "d"}):
            with pytest.raises(InvalidInput, match="Neither of artifact_uri and run_id"):
                verb(**nothing)
        with pytest.raises(InvalidInput, match="Both of artifact_uri and run_id"):
            verb(f"runs:/{run_id}/d", run_id)
        with pytest.raises(InvalidInput, match="artifact_path belongs to run_id"):
            verb(f"runs:/{run_id}/d", artifact_path="e")

    @pytest.mark.parametrize("verb", BOTH)
    @pytest.mark.parametrize("path", HOSTILE, ids=ascii)
    def test_a_path_that_leads_elsewhere_is_refused(self, verb: Callable[..., Any], path: str, run_id: str) -> None:
        with pytest.raises(InvalidUri, match="artifact path"):
            verb(run_id=run_id, artifact_path=path)

    @pytest.mark.parametrize("path", [path for path in HOSTILE if path != "/etc/passwd"], ids=ascii)
    def test_also_in_a_uri(self, path: str, run_id: str) -> None:
        for verb in [*BOTH, *READERS]:
            with pytest.raises(InvalidUri, match="artifact path"):
                verb(f"runs:/{run_id}/{path}")

    def test_slashes_too_many_lead_no_further(self, run_id: str) -> None:
        with pytest.raises(NotFound):
            mlflow.artifacts.load_text(f"runs:/{run_id}//etc/passwd")

    @pytest.mark.parametrize("verb", [*BOTH, *READERS])
    def test_a_run_that_is_not_there_is_not_found(self, verb: Callable[..., Any], run_id: str) -> None:
        with pytest.raises(NotFound, match=NOWHERE):
            verb(f"runs:/{NOWHERE}/a.txt")

    @pytest.mark.parametrize("verb", BOTH)
    def test_also_by_its_id(self, verb: Callable[..., Any], run_id: str) -> None:
        with pytest.raises(NotFound, match=NOWHERE):
            verb(run_id=NOWHERE)
        for wrong in ("", "../x", 5):
            with pytest.raises(InvalidName, match="not a run id"):
                verb(run_id=wrong)

    @pytest.mark.parametrize("verb", [*BOTH, *READERS])
    @pytest.mark.parametrize("uri", ["models:/wine/1", "models:/wine@champion", "MODELS:/wine/latest", "models:/m-1"])
    def test_a_model_that_is_not_there_is_not_found(self, verb: Callable[..., Any], uri: str, store: object) -> None:
        with pytest.raises(NotFound):
            verb(uri)

    @pytest.mark.parametrize("verb", [*BOTH, *READERS])
    @pytest.mark.parametrize("uri", ["", "  ", 5, b"runs:/x", "runs:/", "runs://x/y", "file://elsewhere/x"], ids=repr)
    def test_what_is_no_location_is_refused(self, verb: Callable[..., Any], uri: Any, store: object) -> None:
        with pytest.raises(InvalidUri):
            verb(uri)

    def test_passwords_are_not_repeated(self, run_id: str) -> None:
        with pytest.raises(InvalidUri) as caught:
            mlflow.artifacts.load_text("models://user:secret@host/wine")
        assert "secret" not in str(caught.value)


class TestReading:
    def test_text(self, keep: Callable[[str, bytes], str]) -> None:
        for text in ("Grüße\n", "", "one\r\ntwo\n"):
            assert mlflow.artifacts.load_text(keep("a.txt", text.encode())) == text

    def test_what_is_no_text_says_where_it_stops_being_one(self, keep: Callable[[str, bytes], str]) -> None:
        with pytest.raises(InvalidInput, match=r"d/x\.bin is no text in UTF-8: byte 2 .*\n.*download_artifacts"):
            mlflow.artifacts.load_text(keep("d/x.bin", b"ab\xff"))

    def test_documents_by_their_ending(self, run_id: str) -> None:
        for name in ("a.json", "a.YAML"):
            assert mlflow.artifacts.load_dict(f"runs:/{run_id}/d/{name}") == {"ä": [1, None]}

    def test_json_of_any_name_and_kind(self, keep: Callable[[str, bytes], str]) -> None:
        assert mlflow.artifacts.load_dict(keep("config", b'{"a": 1}')) == {"a": 1}
        assert mlflow.artifacts.load_dict(keep("list.json", b"[1, 2]")) == [1, 2]

    @pytest.mark.parametrize("content", [b"[1", b"", b"a: 1", b"{'a': 1}", b"[" * 100_000, b"9" * 5000], ids=len)
    def test_broken_json_is_said_to_be_so(self, content: bytes, keep: Callable[[str, bytes], str]) -> None:
        with pytest.raises(InvalidInput, match=r"d/bad\.json is not valid JSON"):
            mlflow.artifacts.load_dict(keep("d/bad.json", content))

    @pytest.mark.parametrize("content", [b"a: [1", b"a: 1\na: 2", b"\xff", b"a: !!python/name:os.system"])
    def test_broken_yaml_is_said_to_be_so_by_the_name_it_was_read_by(
        self, content: bytes, keep: Callable[[str, bytes], str]
    ) -> None:
        uri = keep("d/bad.yml", content)
        with pytest.raises(InvalidInput) as caught:
            mlflow.artifacts.load_dict(uri)
        assert uri in str(caught.value)
        assert tempfile.gettempdir() not in str(caught.value)

    def test_binary_json_is_no_text(self, keep: Callable[[str, bytes], str]) -> None:
        with pytest.raises(InvalidInput, match="no text"):
            mlflow.artifacts.load_dict(keep("a.json", b"\xff\xfe"))

    @pytest.mark.parametrize("verb", READERS)
    def test_a_folder_is_no_file_and_what_is_not_there_not_found(self, verb: Callable[[Any], Any], run_id: str) -> None:
        with pytest.raises(InvalidInput, match="folder"):
            verb(f"runs:/{run_id}/d")
        with pytest.raises(InvalidInput, match="folder"):
            verb(f"runs:/{run_id}")
        with pytest.raises(NotFound, match="nope"):
            verb(f"runs:/{run_id}/nope.json")

    def test_files_of_this_machine(self, store: object) -> None:
        pytest.importorskip("dovetail_fsspec")
        Path("a b%20.json").write_text(json.dumps({"a": 1}), encoding="utf-8")
        for location in ("a b%20.json", Path("a b%20.json"), Path("a b%20.json").absolute().as_uri()):
            assert mlflow.artifacts.load_dict(location) == {"a": 1}
        with pytest.raises(NotFound):
            mlflow.artifacts.load_dict("nope.json")
        Path("folder.json").mkdir()
        with pytest.raises(InvalidInput, match="folder"):
            mlflow.artifacts.load_dict("folder.json")


class TestImages:
    def test_an_image_is_read_to_its_end(self, keep: Callable[[str, bytes], str]) -> None:
        image = mlflow.artifacts.load_image(keep("i.png", png()))
        assert (image.size, image.mode, image.getpixel((0, 0))) == ((3, 2), "RGB", (255, 0, 0))

    @pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n"], ids=repr)
    def test_what_is_none_is_refused(self, content: bytes, keep: Callable[[str, bytes], str]) -> None:
        pytest.importorskip("PIL")
        with pytest.raises(InvalidInput, match=r"d/i\.png cannot be read as an image"):
            mlflow.artifacts.load_image(keep("d/i.png", content))

    def test_so_is_half_an_image(self, keep: Callable[[str, bytes], str]) -> None:
        content = png((200, 200))
        with pytest.raises(InvalidInput, match="cannot be read as an image"):
            mlflow.artifacts.load_image(keep("i.png", content[: len(content) // 2]))

    def test_so_is_one_that_would_fill_the_memory(self, keep: Callable[[str, bytes], str]) -> None:
        content = bytearray(png())
        content[16:24] = (60_000).to_bytes(4, "big") * 2  # width and height, and below what they are checked by
        content[29:33] = zlib.crc32(bytes(content[12:29])).to_bytes(4, "big")
        with pytest.raises(InvalidInput, match="cannot be read as an image"):
            mlflow.artifacts.load_image(keep("i.png", bytes(content)))

    @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(place=st.integers(min_value=8), byte=st.integers(0, 255))
    def test_a_broken_byte_gives_an_image_or_a_clear_error(
        self, place: int, byte: int, keep: Callable[[str, bytes], str]
    ) -> None:
        content = bytearray(png())
        content[place % len(content)] = byte
        with suppress(InvalidInput):
            mlflow.artifacts.load_image(keep("i.png", bytes(content)))

    def test_without_pillow_it_is_said_what_to_install(
        self, script: Callable[..., subprocess.CompletedProcess[str]]
    ) -> None:
        done = script("""
            import sys
            sys.modules["PIL"] = None  # as if it were not installed
            import dovetail
            try:
                dovetail.artifacts.load_image("i.png")
            except dovetail.errors.PluginMissing as error:
                print(error)
        """)
        assert "pip install pillow" in done.stdout


@pytest.mark.parametrize("destination", [5, b"x", "\ud800", "a\0b"])
def test_a_destination_that_is_no_path_is_said(destination: Any, artifacts: Any) -> None:
    with mlflow.start_run() as run:
        mlflow.log_text("a", "a.txt")
    with pytest.raises(InvalidInput, match="no folder to fetch into"):
        mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="a.txt", dst_path=destination)
    with pytest.raises(InvalidInput, match="no folder to fetch into"):
        mlflow.Client().download_artifacts(run.info.run_id, "a.txt", destination)
