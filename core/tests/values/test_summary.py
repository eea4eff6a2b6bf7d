"""Values in one line."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail.models.info import ModelInfo
from dovetail.projects.submitted import SubmittedRun
from dovetail.tracking.client import Client, MlflowClient
from dovetail.tracking.runs import ActiveRun
from dovetail.tracking.walking import walk
from dovetail.values import Experiment, FileInfo, Metric, NewRun, Page, Param, Run, RunData, RunInfo, Tag
from dovetail.values.summary import moment, shortened, summary

if TYPE_CHECKING:
    from pathlib import Path

RUN = Run(
    RunInfo("abc", "3", "bold-fox", status="FINISHED"), RunData({"loss": 0.25}, {"lr": "0.1"}, {"mlflow.user": "me"})
)


class TestWhatIsSmall:
    @pytest.mark.parametrize(
        "value",
        [
            Metric("loss", 0.1, 1, -2),
            Param("lr", 'it\'s "quoted"\n'),
            Tag("a b", ""),
            FileInfo("a/b", is_dir=False, file_size=0),
            FileInfo("a", is_dir=True),
            NewRun("0", "abc", "name", "me", 1, tags=(Tag("a", "b"),)),
            Experiment("1", "wine", "file:///x", tags={"a": "b"}),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_can_be_pasted_back(self, value: object) -> None:
        names = {kind.__name__: kind for kind in (Metric, Param, Tag, FileInfo, NewRun, Experiment)}
        assert eval(repr(value), names) == value


class TestRun:
    def test_says_what_people_look_for(self) -> None:
        assert repr(RUN) == (
            "Run(run_id='abc', run_name='bold-fox', status='FINISHED', experiment_id='3', "
            "metrics={'loss': 0.25}, params={'lr': '0.1'})"
        )

    def test_that_is_deleted_says_so(self) -> None:
        assert "lifecycle_stage='deleted'" in repr(RunInfo("abc", "3", lifecycle_stage="deleted"))

    def test_info_gives_times_for_people_and_no_password(self) -> None:
        info = RunInfo("abc", "3", start_time=1_700_000_000_000, artifact_uri="ftp://me:hunter2@host/a")
        assert repr(info) == (
            "RunInfo(run_id='abc', status='RUNNING', experiment_id='3', start_time='2023-11-14 22:13:20 UTC', "
            "artifact_uri='ftp://me:***@host/a')"
        )

    def test_with_much_in_it_stays_one_short_line(self) -> None:
        data = RunData(
            {f"metric{number}": number / 7 for number in range(1000)},
            {f"{number}" + "k" * 240: "v\n" * 3000 for number in range(1000)},
            {f"tag{number}": "x" * 8000 for number in range(1000)},
        )
        for text in (repr(Run(RUN.info, data)), repr(data)):
            assert "… 995 more" in text
            assert len(text) < 4000
            assert "\n" not in text


class TestPage:
    def test_shows_the_first_and_how_many_more(self) -> None:
        text = repr(Page([RUN] * 100, "next"))
        assert text.count("Run(") == 5
        assert text.endswith("… 95 more], token='next')")

    def test_of_nothing(self) -> None:
        assert repr(Page([])) == "Page([])"


class TestPasswords:
    def test_are_hidden_wherever_they_stand(self) -> None:
        uri = "postgresql://me:hunter2@db/x?password=hunter2"
        for value in (Param("db", uri), Tag("repo", uri), RunData({}, {"db": uri}, {uri: uri}), Page([uri], uri)):
            assert "hunter2" not in repr(value)
            assert "db/x" in repr(value)

    @pytest.mark.parametrize("length", [90, 110, 470, 490, 2000])
    def test_that_are_cut_off_in_the_middle_are_hidden_too(self, length: int) -> None:
        uri = f"https://me:{'s3cret' * (length // 6)}@host/path"
        assert "s3cret" not in repr(Param("uri", uri))
        assert "s3cret" not in shortened(f"see {uri} and then", 400)

    def test_texts_made_to_keep_us_busy_do_not(self) -> None:
        begun = time.perf_counter()
        repr(RunData({}, {f"p{number}": "https://h/" + "?key" * 2000 for number in range(1000)}))
        assert time.perf_counter() - begun < 5


class TestTexts:
    @given(st.text(max_size=600), st.integers(1, 300))
    def test_for_people_can_be_seen_and_have_their_length(self, text: str, longest: int) -> None:
        short = shortened(text, longest)
        assert len(short) <= longest
        assert short.isprintable()

    def test_that_are_harmless_stay_as_they_are(self) -> None:
        assert shortened("Größe 10 µm, 温度") == "Größe 10 µm, 温度"
        assert shortened("a\x1b[2J\u202eb\n") == r"a\x1b[2J\u202eb\n"


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (None, None),
        (0, None),
        (1, "1970-01-01 00:00:00 UTC"),
        (2**63 - 1, str(2**63 - 1)),
        (-1, "1969-12-31 23:59:59 UTC"),
    ],
)
def test_moments(milliseconds: int | None, text: str | None) -> None:
    assert moment(milliseconds) == text


def test_a_summary_leaves_out_what_is_not_known() -> None:
    assert summary("Thing", {"a": 1, "b": None, "c": (), "d": ("x",)}) == "Thing(a=1, c=(), d=('x',))"


class TestWhatStandsAbove:
    def test_a_client_says_where_it_tracks_and_no_password(self) -> None:
        assert repr(Client("postgresql://me:hunter2@host/db")) == "Client(tracking_uri='postgresql://me:***@host/db')"
        assert repr(MlflowClient("memory://x")) == "Client(tracking_uri='memory://x')"

    def test_a_client_shows_itself_also_where_settings_are_broken(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "dovetail.toml").write_text("tracking_uri = 5")
        monkeypatch.chdir(tmp_path)
        assert repr(Client()) == "Client()"

    def test_an_active_run_says_that_it_is_one(self) -> None:
        assert repr(ActiveRun(RUN.info, RUN.data)) == f"Active{RUN!r}"
        assert ActiveRun(RUN.info, RUN.data)._repr_html_() == RUN._repr_html_()

    def test_what_log_model_answers(self) -> None:
        info = ModelInfo(
            "runs:/abc/model", "model", "abc", "1", "now", {"python_function": {"env": "x"}, "sklearn": {}}
        )
        assert repr(info) == (
            "ModelInfo(model_uri='runs:/abc/model', run_id='abc', flavors=['python_function', 'sklearn'])"
        )

    def test_a_submitted_run_asks_nobody_how_it_is(self, tmp_path: Path) -> None:
        submitted = SubmittedRun("abc", cast("Any", None), cast("Any", None), tmp_path)
        assert repr(submitted) == "SubmittedRun(run_id='abc')"

    def test_all_that_a_search_finds_is_a_table_in_notebooks(self) -> None:
        pages = {None: Page([RUN], "2"), "2": Page([RUN])}
        found = walk(lambda size, token: pages[token], None)
        assert found == [RUN, RUN]
        assert isinstance(found, list)
        assert "2 runs" in str(found._repr_html_())
        assert found.token is None


def test_values_load_nothing_that_shows_them() -> None:
    script = "import sys, dovetail.values; print({'html', 'datetime', 'dovetail.values.summary'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True, env=_path())
    assert done.stdout == "set()\n"


def _path() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
