"""Tables of Hugging Face's library, without a network."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import dovetail as mlflow
from dovetail.data import get_dataset_source_from_json, get_source
from dovetail.data.huggingface_dataset_source import HuggingFaceDatasetSource
from dovetail.errors import InvalidInput

if TYPE_CHECKING:
    from pathlib import Path

ROWS = {"size": [1, 2, None], "name": ["x", "y", "z"], "tags": [["a"], [], ["b"]]}


@pytest.fixture
def datasets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    return pytest.importorskip("datasets")


class TestTables:
    def test_are_kept_with_schema_and_figures(self, datasets: Any) -> None:
        dataset = mlflow.data.from_huggingface(datasets.Dataset.from_dict(ROWS), targets="size")
        assert dataset.profile == {"num_rows": 3, "dataset_size": None, "size_in_bytes": None}
        assert [str(column) for column in dataset.schema.inputs] == [
            "'size': double (optional)",
            "'name': string (required)",
            "'tags': Array(string) (required)",
        ]
        assert dataset.value().source_type == "code"

    def test_have_the_digest_of_their_content(self, datasets: Any) -> None:
        table = datasets.Dataset.from_dict(ROWS)
        digest = mlflow.data.from_huggingface(table).digest
        assert mlflow.data.from_huggingface(table.select([2, 1, 0]).select([2, 1, 0])).digest == digest
        others = [table.select([0, 2, 1]), table.rename_column("size", "Size"), table.select([0, 1])]
        others += [
            datasets.Dataset.from_dict({**ROWS, **change}) for change in ({"size": [1, 2, 0]}, {"tags": [[]] * 3})
        ]
        assert len({digest, *(mlflow.data.from_huggingface(other).digest for other in others)}) == 6

    def test_are_loaded_again(self, datasets: Any, tmp_path: Path) -> None:
        file = tmp_path / "train.csv"
        file.write_text("a,b\n1,x\n2,y\n", encoding="utf-8")
        loaded = datasets.load_dataset("csv", data_files=str(file), split="train", cache_dir=str(tmp_path / "first"))
        dataset = mlflow.data.from_huggingface(loaded, path="csv", data_files=str(file))
        again = get_source(dataset.value()).load(tmp_path / "second")
        assert mlflow.data.from_huggingface(again).digest == dataset.digest
        assert json.loads(dataset.value().source)["split"] == "train"

    def test_arguments_that_would_be_lost_are_refused(self, datasets: Any) -> None:
        table = datasets.Dataset.from_dict(ROWS)
        for given in ({"path": "csv", "source": "x.csv"}, {"revision": "main"}, {"data_files": "x.csv", "source": "x"}):
            with pytest.raises(InvalidInput, match="would be lost"):
                mlflow.data.from_huggingface(table, **given)

    def test_only_tables_will_do(self, datasets: Any) -> None:
        split = datasets.DatasetDict({"train": datasets.Dataset.from_dict(ROWS)})
        for given in (split, None, ROWS):
            for path in (None, "csv"):
                with pytest.raises(InvalidInput, match=r"is no datasets\.Dataset"):
                    mlflow.data.from_huggingface(given, path=path)


class TestSources:
    def test_are_written_as_mlflow_writes_them(self) -> None:
        source = HuggingFaceDatasetSource("p", "c", data_files=["a"], split="s", revision="r")
        assert source.to_json() == (
            '{"path": "p", "config_name": "c", "data_dir": null, "data_files": ["a"], "split": "s", "revision": "r"}'
        )

    def test_of_mlflow_without_a_split_are_read(self) -> None:
        source = get_dataset_source_from_json('{"path": "p", "split": "None"}', "hugging_face")
        assert source.to_dict()["split"] is None

    def test_trust_is_never_stored(self) -> None:
        assert "trust" not in HuggingFaceDatasetSource("p", trust_remote_code=True).to_json()
        stored = '{"path": "p", "trust_remote_code": true}'
        assert not HuggingFaceDatasetSource.from_json(stored).trust_remote_code

    @pytest.mark.parametrize("stored", ['{"path": 5}', '{"path": "p", "split": 5}', '{"path": "p", "data_files": [5]}'])
    def test_that_are_wrong_are_refused(self, stored: str) -> None:
        with pytest.raises(InvalidInput):
            get_dataset_source_from_json(stored, "hugging_face")
