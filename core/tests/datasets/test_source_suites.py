"""dovetail's own sources pass the suite that those of plugins have to pass."""

from __future__ import annotations

import json
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from dovetail import locations
from dovetail.data.sources import (
    CodeDatasetSource,
    DeltaDatasetSource,
    FileSystemDatasetSource,
    HTTPDatasetSource,
    HuggingFaceDatasetSource,
    SparkDatasetSource,
)
from dovetail.testing import DatasetSourceSuite

if TYPE_CHECKING:
    from pathlib import Path

    from core.tests.datasets.conftest import Web
    from dovetail.datasets.source import DatasetSource

CSV = b"a,b\n1,2\n"


class _Csv(DatasetSourceSuite):
    @pytest.fixture
    def content(self) -> bytes:
        return CSV


class TestFilesHere(_Csv):
    others = ("http://host/x", "https://host/x")

    @pytest.fixture
    def raw_source(self, tmp_path: Path) -> Path:
        file = tmp_path / "given" / "train.csv"
        file.parent.mkdir()
        file.write_bytes(CSV)
        return file

    @pytest.fixture
    def source(self, raw_source: Path) -> DatasetSource:
        return FileSystemDatasetSource(str(raw_source))


class TestFilesInStores(_Csv):
    raw = "memory://suite/data/train.csv"
    others = ("http://host/x", "https://host/x")

    @pytest.fixture
    def source(self) -> DatasetSource:
        locations.artifact_store("memory://suite").put("data/train.csv", BytesIO(CSV))
        return FileSystemDatasetSource(self.raw)


class TestWebAddresses(_Csv):
    others = ("train.csv", "s3://bucket/x", "file:///x", "ftp://host/x")

    @pytest.fixture
    def source(self, web: Web) -> DatasetSource:
        web.page("/train.csv", CSV)
        return HTTPDatasetSource(f"{web.url}/train.csv")

    @pytest.fixture
    def raw_source(self, web: Web) -> str:
        return f"{web.url}/train.csv"


class TestCode(DatasetSourceSuite):
    others = ("train.csv", "s3://bucket/x", "http://host/x")
    loads = False

    @pytest.fixture
    def source(self) -> DatasetSource:
        return CodeDatasetSource({"mlflow.source.name": "train.py", "mlflow.source.git.commit": "a" * 40})

    @pytest.fixture
    def content(self) -> None:
        return None


class TestHuggingFace(DatasetSourceSuite):
    others = ("train.csv", "s3://bucket/x", "http://host/x")
    files = False

    @pytest.fixture
    def source(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DatasetSource:
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        file = tmp_path / "train.csv"
        file.write_bytes(CSV)
        return HuggingFaceDatasetSource("csv", data_files=str(file), split="train")

    @pytest.fixture
    def content(self) -> Any:
        pytest.importorskip("datasets")
        return [{"a": 1, "b": 2}]

    def content_of(self, loaded: Any) -> Any:
        return json.loads(json.dumps(loaded.to_list()))


class TestSparkPaths(DatasetSourceSuite):
    others = ("train.csv", "s3://bucket/x", "http://host/x")
    files = False

    @pytest.fixture
    def source(self, tmp_path: Path) -> DatasetSource:
        return SparkDatasetSource(str(tmp_path / "train.parquet"))

    @pytest.fixture
    def content(self, tmp_path: Path, spark: Any) -> Any:
        spark.range(2).write.parquet(str(tmp_path / "train.parquet"))
        return [0, 1]

    def content_of(self, loaded: Any) -> Any:
        return sorted(row["id"] for row in loaded.collect())


@pytest.mark.usefixtures("no_spark")
class TestDelta(DatasetSourceSuite):
    others = ("train.csv", "s3://bucket/x", "http://host/x")
    files = False

    @pytest.fixture
    def source(self, tmp_path: Path) -> DatasetSource:
        return DeltaDatasetSource(str(tmp_path / "houses"), delta_table_version=1)

    @pytest.fixture
    def content(self, delta: Path) -> Any:
        return [1, 2, 3]

    def content_of(self, loaded: Any) -> Any:
        return sorted(loaded["size"])
