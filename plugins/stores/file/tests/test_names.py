"""Names that would be trouble as names of files."""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from dovetail.errors import DovetailError
from dovetail.values import Batch, Dataset, DatasetInput, JournalMark, Metric, NewLoggedModel, NewRun, Param, Tag
from dovetail_file import open_dir
from dovetail_file.names import digest, file_name

if TYPE_CHECKING:
    from pathlib import Path

IDS = ["abc", "ABC", "Abc", "0" * 32, "x" * 256, "Ä" * 1, "a日本", "con", "a-_", "A" * 256]


class TestIds:
    def test_ids_that_differ_have_names_that_differ_by_more_than_case(self) -> None:
        ids = [each for each in IDS if each[0].isascii()]
        names = [file_name(each) for each in ids]
        assert len({name.casefold() for name in names}) == len(ids)
        assert all(re.fullmatch(r"[=0-9a-z][0-9a-z_-]*", name) and len(name) <= 100 for name in names)

    def test_texts_are_told_apart_however_they_are_cut(self) -> None:
        assert len({digest("a", "bc"), digest("ab", "c"), digest("abc"), digest("abc", "")}) == 4

    @pytest.mark.parametrize("run_id", ["abc", "ABC", "x" * 256, "a日本", "con"])
    def test_runs_and_models_of_any_id_are_kept(self, tmp_path: Path, run_id: str) -> None:
        model_id = f"m-{run_id}"[:256]
        with closing(open_dir(f"dir://{tmp_path}")) as store:
            store.create_run(NewRun("0", run_id=run_id))
            store.create_logged_model(NewLoggedModel("0", model_id=model_id))
            store.log_batch(run_id, Batch((Metric("acc", 0.5, model_id=model_id),)), mark=JournalMark("W/../" * 50, 3))
        with closing(open_dir(f"dir://{tmp_path}")) as store:
            assert [run.info.run_id for run in store.search_runs(["0"])] == [run_id]
            assert [point.run_id for point in store.get_logged_model(model_id).metrics] == [run_id]
            assert store.applied("W/../" * 50) == 3

    @pytest.mark.parametrize("run_id", ["..", "../x", "a/b", "", ".", "a\0b", "/etc/passwd", "x" * 300, "new", "=abc"])
    def test_ids_that_are_none_find_nothing_and_nothing_outside(self, tmp_path: Path, run_id: str) -> None:
        with closing(open_dir(f"dir://{tmp_path}/runs")) as store:
            for call in (store.get_run, store.delete_run, store.restore_run, store.get_logged_model):
                with pytest.raises(DovetailError):
                    call(run_id)
            assert list(store.get_metric_history(run_id, "loss")) == []
        assert [path.name for path in tmp_path.iterdir()] == ["runs"]


class TestKeysAndTexts:
    def test_keys_do_not_become_names_of_files(self, tmp_path: Path) -> None:
        keys = ["a/b/c", "a" * 250, "Loss", "loss", ".hidden", "con", "日本/ü", "a: b"]
        metrics = tuple(Metric(key, float(number), 1, 1) for number, key in enumerate(keys))
        batch = Batch(metrics, tuple(Param(key, "p") for key in keys), tuple(Tag(key, "t") for key in keys))
        with closing(open_dir(f"dir://{tmp_path}")) as store:
            run_id = store.create_run(NewRun("0")).info.run_id
            before = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*"))
            store.log_batch(run_id, batch)
            data = store.get_run(run_id).data
            assert (set(data.metrics), set(data.params), set(data.tags)) == (set(keys), set(keys), set(keys))
            assert [store.get_metric_history(run_id, key)[0].value for key in keys] == list(
                map(float, range(len(keys)))
            )
        assert len(list(tmp_path.rglob("*"))) == len(before) + 1

    @pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/b", "x" * 500, "..", "con", "a\nb"])
    def test_experiments_and_datasets_of_any_name_are_kept(self, tmp_path: Path, name: str) -> None:
        with closing(open_dir(f"dir://{tmp_path}/runs")) as store:
            number = store.create_experiment(name)
            run_id = store.create_run(NewRun(number)).info.run_id
            used = DatasetInput(Dataset(name, "../" * 12, "local", "{}"))
            store.log_inputs(run_id, [used])
        with closing(open_dir(f"dir://{tmp_path}/runs")) as store:
            found = store.get_experiment_by_name(name)
            assert found is not None
            assert store.get_run(run_id).inputs.dataset_inputs == (used,)
        assert [path.name for path in tmp_path.iterdir()] == ["runs"]
