"""What notebooks show of values."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail.values import Experiment, Page, Run, RunData, RunInfo

HARMLESS = {
    "div": {"class"},
    "span": {"style"},
    "strong": set(),
    "code": set(),
    "bdi": set(),
    "details": {"open"},
    "summary": {"style"},
    "table": set(),
    "thead": set(),
    "tbody": set(),
    "tr": set(),
    "th": {"scope", "style"},
    "td": {"style"},
}
HOSTILE = [
    "<script>alert(1)</script>",
    "'\"><img src=x onerror=alert(1)>",
    "</bdi></td></table><iframe src=//evil>",
    "&lt;b&gt;",
    "javascript:alert(1)",
    "$\\href{javascript:alert(1)}{x}$",
    "a\u202eb\x1b[2J\x07\n\u200b",
    "]]>-->",
]


class Seen(HTMLParser):
    """What a browser makes of a fragment: it refuses whatever is not harmless, and collects the text."""

    def __init__(self, fragment: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.parts: list[str] = []
        self.feed(fragment)
        self.close()
        assert self.open == [], "what is opened is closed"
        self.text = "|".join(self.parts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in HARMLESS
        assert {name for name, _ in attrs} <= HARMLESS[tag]
        assert not any("url(" in (value or "") for _, value in attrs)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def handle_comment(self, data: str) -> None:
        pytest.fail(f"a comment: {data}")

    handle_decl = handle_pi = unknown_decl = handle_comment


def a_run(name: str = "bold-fox", **logged: dict[str, object]) -> Run:
    info = RunInfo("abc", "3", name, "me", "FINISHED", 1_700_000_000_000, 1_700_000_062_000, "file:///a/abc")
    return Run(info, RunData.stored(**{"metrics": {}, "params": {}, "tags": {}, **logged}))


def html(value: Run | Experiment | Page[Run] | Page[Experiment]) -> str:
    shown = value._repr_html_()
    assert shown is not None
    return shown


class TestRun:
    def test_shows_name_id_status_times_and_tables(self) -> None:
        run = a_run(metrics={"loss": 0.25}, params={"lr": "0.1"}, tags={"team": "blue"})
        seen = Seen(html(run))
        for text in ("bold-fox", "abc", "FINISHED", "2023-11-14 22:13:20 UTC", "1 min 2 s", "file:///a/abc", "me"):
            assert text in seen.parts
        for text in ("Metrics (1)", "loss", "0.25", "Params (1)", "lr", "0.1", "Tags (1)", "team", "blue"):
            assert text in seen.parts

    def test_that_logged_nothing_has_no_tables(self) -> None:
        assert "<table" not in html(a_run())

    def test_that_still_runs_or_is_deleted(self) -> None:
        shown = html(Run(RunInfo("abc", "3", lifecycle_stage="deleted")))
        assert "RUNNING" in shown
        assert "(<bdi>deleted</bdi>)" in shown
        assert "Lasted" not in shown

    def test_hides_passwords(self) -> None:
        uri = "https://me:hunter2@host/x"
        run = Run(RunInfo("abc", "3", artifact_uri=uri), RunData({}, {"p": uri}, {"repo": uri}))
        assert "hunter2" not in html(run)
        assert html(run).count("me:***@host") == 3

    def test_with_much_in_it_stays_small(self) -> None:
        many = {f"{number}{'<' * 240}": "&" * 8000 for number in range(10_000)}
        shown = html(a_run("n" * 8000, metrics=many, params=many, tags=many))
        assert Seen(shown).text.count("… and 9950 more") == 3
        assert len(shown) < 250_000

    def test_names_no_color_but_the_dot_s(self) -> None:
        assert html(a_run(tags={"a": "b"})).count("color:") == 1
        assert "background" not in html(a_run(tags={"a": "b"}))


class TestPage:
    def test_of_runs_puts_common_metrics_beside_each_other(self) -> None:
        runs = [a_run(metrics={"loss": number, f"own{number}": 0}, params={"lr": "x"}) for number in range(3)]
        seen = Seen(html(Page(runs)))
        assert seen.parts[0] == "3 runs"
        assert seen.parts[1:7] == ["Run", "Id", "Status", "Started", "Lasted", "loss"]
        assert "lr" in seen.parts

    def test_shows_the_first_rows_and_says_that_there_are_more(self) -> None:
        shown = html(Page([a_run()] * 143, "next"))
        assert shown.count("bold-fox") == 50
        assert Seen(shown).parts[-1] == "… and 93 more; further pages behind this one"
        assert "more" not in html(Page([a_run()] * 50))

    def test_of_experiments(self) -> None:
        seen = Seen(html(Page([Experiment("7", "wine", "s3://b/7", creation_time=1_700_000_000_000)])))
        assert seen.parts[0] == "1 experiment"
        assert seen.parts[-4:] == ["wine", "7", "2023-11-14 22:13:20 UTC", "s3://b/7"]

    @pytest.mark.parametrize("items", [[], [1, 2], [a_run(), 3]], ids=["nothing", "others", "a mixture"])
    def test_of_anything_else_is_left_to_the_one_line(self, items: list[object]) -> None:
        assert Page(items)._repr_html_() is None

    def test_of_very_many_runs_is_small_and_quick(self) -> None:
        run = a_run(metrics={f"m{number}": 0.1 for number in range(200)})
        assert len(html(Page([run] * 100_000))) < 100_000


def test_an_experiment_shows_where_it_is() -> None:
    seen = Seen(html(Experiment("7", "wine", "s3://bucket/7", tags={"team": "red"}, creation_time=1)))
    for text in ("wine", "experiment 7", "s3://bucket/7", "team", "red"):
        assert text in seen.parts


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_only_text(text: str) -> None:
    _nothing_but_text(text)


@given(st.text(min_size=1))
def test_any_text_is_only_text(text: str) -> None:
    _nothing_but_text(text)


def _nothing_but_text(text: str) -> None:
    info = RunInfo.stored(run_id=text, experiment_id=text, run_name=text, user_id=text, status=text, artifact_uri=text)
    run = Run(info, RunData.stored(metrics={text: text}, params={text: text}, tags={text: text}))
    experiment = Experiment.stored(experiment_id=text, name=text, artifact_location=text, tags={text: text})
    for value in (run, experiment, Page([run], text), Page([experiment], text)):
        shown = Seen(html(value)).text
        assert shown.isprintable()
