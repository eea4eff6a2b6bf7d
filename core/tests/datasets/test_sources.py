"""Sources: made of what people give, kept as a word and a text, and found again by that word."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import dovetail as mlflow
from dovetail.data import (
    from_pandas,
    get_dataset_source_from_json,
    get_registered_sources,
    get_source,
)
from dovetail.data.code_dataset_source import CodeDatasetSource
from dovetail.data.dataset_source_registry import resolve_dataset_source
from dovetail.data.filesystem_dataset_source import FileSystemDatasetSource
from dovetail.data.http_dataset_source import HTTPDatasetSource
from dovetail.entities import Dataset, DatasetInput
from dovetail.errors import InvalidInput, NotFound, PluginMissing

if TYPE_CHECKING:
    from collections.abc import Callable

WAREHOUSE = """
from dovetail import hookimpl
from dovetail.data.dataset_source import DatasetSource

class WarehouseSource(DatasetSource):
    source_type = "warehouse"

    def __init__(self, table):
        self.table = table

    def load(self, dst_path=None):
        return f"rows of {self.table}"

    def to_dict(self):
        return {"table": self.table}

    @classmethod
    def from_dict(cls, source_dict):
        return cls(cls.text_in(source_dict, "table"))

    @classmethod
    def can_resolve(cls, raw_source):
        return isinstance(raw_source, str) and raw_source.startswith("warehouse://")

    @classmethod
    def resolve(cls, raw_source):
        return cls(raw_source.removeprefix("warehouse://"))

@hookimpl
def dovetail_dataset_sources():
    return {"warehouse": WarehouseSource, "number": int}
"""


def stored(source_type: str, source: str) -> Dataset:
    return Dataset("data", "digest", source_type, source)


def csv(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("a\n1\n", encoding="utf-8")
    return path


class TestWhatPeopleGive:
    @pytest.mark.parametrize(
        ("given", "source_type"),
        [
            ("train.csv", "local"), ("/data/train.csv", "local"), ("file:///data/train.csv", "local"), ("~/x", "local"),
            ("s3://bucket/train.csv", "s3"), ("gs://bucket/x", "gs"), ("abfss://c@a/x", "abfss"),
            ("hdfs://n/x", "hdfs"), ("wasbs://c@a/x", "wasbs"), ("r2://b@a/x", "r2"), ("runs:/abc/x.csv", "runs"),
            ("memory://x/y", "memory"),
        ],
    )  # fmt: skip
    def test_files_are_kept_by_their_location(self, given: str, source_type: str) -> None:
        source = from_pandas(pd.DataFrame({"a": [1]}), source=given).source
        assert isinstance(source, FileSystemDatasetSource)
        assert (source.source_type, source.to_json()) == (source_type, json.dumps({"uri": given}))

    @pytest.mark.parametrize("given", ["http://host/x.csv?y=1", "HTTPS://host/x"])
    def test_web_addresses_are_kept(self, given: str) -> None:
        source = resolve_dataset_source(given)
        assert (source.source_type, source.to_dict()) == ("http", {"url": given})

    def test_paths_are_locations(self, tmp_path: Path) -> None:
        assert resolve_dataset_source(tmp_path / "x.csv").to_dict() == {"uri": str(tmp_path / "x.csv")}

    def test_sources_are_taken_as_they_are(self) -> None:
        source = HTTPDatasetSource("http://host/x")
        assert from_pandas(pd.DataFrame({"a": [1]}), source=source).source is source

    @pytest.mark.parametrize("given", ["", " ", 5, ["x"], {}, b"x", "unheard-of://x/y", "unheard-of:/x", object()])
    def test_what_nobody_knows_is_refused(self, given: Any) -> None:
        with pytest.raises(InvalidInput, match="No dataset source knows") as caught:
            resolve_dataset_source(given)
        assert "plugins list" in str(caught.value)

    @pytest.mark.parametrize(
        "given",
        ["s3::file:///etc/passwd", "simplecache::s3://b/x", "zip://::file:///x.zip/a", "file://host/x", "x\x00y"],
    )
    def test_locations_that_lead_elsewhere_are_refused(self, given: str) -> None:
        with pytest.raises(InvalidInput):
            resolve_dataset_source(given)

    def test_only_the_candidates_are_asked(self) -> None:
        with pytest.raises(InvalidInput):
            resolve_dataset_source("train.csv", candidate_sources=[HTTPDatasetSource])
        assert resolve_dataset_source("train.csv", [HTTPDatasetSource, FileSystemDatasetSource]).source_type == "local"

    def test_secrets_are_not_repeated_in_messages(self) -> None:
        with pytest.raises(InvalidInput) as caught:
            resolve_dataset_source("unheard-of://user:secret@host/x")
        assert "secret" not in str(caught.value)


class TestLoading:
    def test_a_file_on_this_machine_stays_where_it_is(self, tmp_path: Path) -> None:
        file = csv(tmp_path / "train.csv")
        for given in (str(file), file.as_uri(), os.path.relpath(file)):
            assert Path(resolve_dataset_source(given).load()) == file

    def test_a_file_or_folder_is_copied_on_request(self, tmp_path: Path) -> None:
        csv(tmp_path / "data" / "a" / "1.csv")
        file = resolve_dataset_source(tmp_path / "data" / "a" / "1.csv").load(tmp_path / "file")
        folder = resolve_dataset_source(tmp_path / "data").load(tmp_path / "folder")
        assert Path(file) == tmp_path / "file" / "1.csv"
        assert (Path(folder) / "a" / "1.csv").read_text(encoding="utf-8") == "a\n1\n"

    def test_what_is_gone_is_not_found(self, tmp_path: Path) -> None:
        for target in (None, tmp_path / "target"):
            with pytest.raises(NotFound):
                resolve_dataset_source(tmp_path / "gone.csv").load(target)

    def test_data_of_a_run_is_fetched_from_its_artifacts(self, tmp_path: Path) -> None:
        with mlflow.start_run() as run:
            mlflow.log_text("a\n1\n", "data/train.csv")
        dataset = from_pandas(pd.DataFrame({"a": [1]}), source=f"runs:/{run.info.run_id}/data/train.csv")
        loaded = get_source(dataset.value()).load(tmp_path / "here")
        assert pd.read_csv(loaded).equals(dataset.df)

    def test_data_in_a_store_is_fetched(self, tmp_path: Path) -> None:
        from io import BytesIO

        from dovetail import locations

        locations.artifact_store("memory://bucket").put("data/train.csv", BytesIO(b"a\n1\n"))
        source = get_source(stored("memory", '{"uri": "memory://bucket/data/train.csv"}'))
        assert Path(source.load(tmp_path)).read_bytes() == b"a\n1\n"

    def test_code_is_not_run(self) -> None:
        source = get_source(stored("code", '{"tags": {"mlflow.source.name": "train.py"}}'))
        assert isinstance(source, CodeDatasetSource)
        with pytest.raises(InvalidInput, match=r"made by train\.py"):
            source.load()


class TestComingBack:
    def test_from_whatever_holds_a_dataset(self, tmp_path: Path) -> None:
        dataset = from_pandas(pd.DataFrame({"a": [1]}), source=csv(tmp_path / "train.csv"))
        assert get_source(dataset) is dataset.source
        for holder in (dataset.value(), DatasetInput(dataset.value())):
            assert pd.read_csv(get_source(holder).load()).equals(dataset.df)

    @pytest.mark.parametrize("given", [None, 5, "x.csv", {}, Dataset])
    def test_from_nothing_else(self, given: Any) -> None:
        with pytest.raises(InvalidInput, match="is no dataset"):
            get_source(given)

    @pytest.mark.parametrize("source_type", ["uc_volume", "unheard_of", "../../x", "os", "dovetail.data", "*", ""])
    def test_needs_somebody_who_knows_the_type(self, source_type: str) -> None:
        with pytest.raises(PluginMissing, match="No dataset source answers for"):
            get_dataset_source_from_json('{"uri": "x"}', source_type)

    @pytest.mark.parametrize(
        ("source_type", "source"),
        [
            ("s3", '{"uri": "file:///etc/passwd"}'), ("s3", '{"uri": "/etc/passwd"}'), ("gs", '{"uri": "s3://b/x"}'),
            ("http", '{"url": "file:///etc/passwd"}'), ("http", '{"uri": "http://host/x"}'),
            ("local", '{"uri": "http://host/x"}'), ("local", '{"uri": "s3://b/x"}'), ("local", '{"uri": 5}'),
            ("local", "[]"), ("local", "{"), ("local", '{"uri": ""}'), ("s3", '{"uri": "s3::file:///etc/passwd"}'),
            ("code", "{}"), ("code", '{"tags": 5}'), ("code", '{"tags": {"a": 1}}'), ("code", '{"tags": [["a", "b"]]}'),
            ("local", "[" * 60_000), ("local", f'{{"uri": "{"x" * 70_000}"}}'), ("local", '{"uri": "a\\u0000b"}'),
        ],
    )  # fmt: skip
    def test_a_store_cannot_lead_astray(self, source_type: str, source: str) -> None:
        with pytest.raises(InvalidInput):
            get_dataset_source_from_json(source, source_type)

    def test_a_run_cannot_lead_out_of_its_artifacts(self) -> None:
        with mlflow.start_run() as run:
            mlflow.log_text("x", "x")
        source = get_source(stored("runs", json.dumps({"uri": f"runs:/{run.info.run_id}/../../../etc/passwd"})))
        with pytest.raises(InvalidInput):
            source.load()

    def test_code_of_mlflow_without_tags_is_read(self) -> None:
        assert get_source(stored("code", '{"tags": null}')).to_dict() == {"tags": {}}


class TestPlugins:
    @pytest.fixture
    def script(self, site: Path, installed: Callable[..., Path]) -> Callable[[str], str]:
        """Run lines in a process of their own, where the plugins of the test are installed."""
        points = {"dataset_sources": {"warehouse": "acme_warehouse", "number": "acme_warehouse"}}
        installed("acme-warehouse", points, acme_warehouse=WAREHOUSE)

        def run(lines: str) -> str:
            code = f"import sys; sys.path.insert(0, {str(site)!r})\nfrom dovetail.data import *\n{lines}"
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            return done.stdout + done.stderr

        return run

    def test_answer_for_their_type_and_locations(self, script: Callable[[str], str]) -> None:
        lines = """
from dovetail.data.dataset_source_registry import resolve_dataset_source
import warnings; warnings.simplefilter("ignore")
source = resolve_dataset_source("warehouse://sales")
print(source.source_type, get_dataset_source_from_json(source.to_json(), "warehouse").load())
print([kind.__name__ for kind in get_registered_sources()])
"""
        told = script(lines)
        assert "warehouse rows of sales" in told
        assert told.count("WarehouseSource") == 1

    def test_are_not_imported_for_others_locations(self, script: Callable[[str], str]) -> None:
        lines = """
from dovetail.data.dataset_source_registry import resolve_dataset_source
resolve_dataset_source("train.csv"); resolve_dataset_source("http://host/x")
get_dataset_source_from_json('{"uri": "x"}', "local")
assert "acme_warehouse" not in sys.modules
"""
        script(lines)

    def test_that_are_broken_hurt_only_their_own(self, script: Callable[[str], str]) -> None:
        lines = """
from dovetail.data.dataset_source_registry import resolve_dataset_source
from dovetail.errors import PluginBroken
print(resolve_dataset_source("warehouse://sales").load())
get_registered_sources()
try:
    get_dataset_source_from_json("{}", "number")
except PluginBroken as error:
    print(error)
"""
        told = script(lines)
        assert "rows of sales" in told
        assert "The dataset source 'number' was not asked" in told
        assert "hands out <class 'int'>, which is no class of sources" in told

    def test_are_inspected(self, site: Path, script: Callable[[str], str]) -> None:
        half = WAREHOUSE.replace("def load", "def lode").replace(', "number": int', "")
        (site / "acme_warehouse.py").write_text(half, encoding="utf-8")
        lines = """
from dovetail import inspection, plugins
found = [point for point in plugins.installed() if point.name == "warehouse"]
print(*inspection.inspected(found, plugins.installed())[0].problems)
"""
        assert "WarehouseSource is no complete dataset source: it lacks load" in script(lines)

    def test_dovetails_own_are_listed(self) -> None:
        assert {HTTPDatasetSource, FileSystemDatasetSource, CodeDatasetSource} <= set(get_registered_sources())


def test_importing_the_package_is_light() -> None:
    code = (
        "import dovetail.data, dovetail.data.pandas_dataset, dovetail.data.sources, sys\n"
        "print({'numpy', 'pandas', 'polars', 'datasets', 'fsspec', 'yaml', 'sqlalchemy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
