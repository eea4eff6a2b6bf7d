"""What notebooks show of values: HTML that needs nothing else, runs nothing, and fits light and dark themes.

Names and values come from anywhere, so all of them go through ``_text``: escaped, with invisible characters written
out, and cut. Everything is bounded: the first rows of a table, and how many more there are.
"""

from __future__ import annotations

from collections import Counter
from html import escape
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from dovetail.values.state import LifecycleStage, RunStatus
from dovetail.values.summary import moment, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dovetail.values.experiment import Experiment
    from dovetail.values.page import Page
    from dovetail.values.run import Run

__all__ = ["experiment_html", "experiments_html", "run_html", "runs_html"]

_MOST_ROWS = 50
_MOST_COLUMNS = 5  # metrics, and as many params, beside each other in a list of runs
_COLORS = {
    RunStatus.RUNNING: "#3b82f6",
    RunStatus.SCHEDULED: "#8b8b8b",
    RunStatus.FINISHED: "#2e9e4f",
    RunStatus.FAILED: "#dc4c3f",
    RunStatus.KILLED: "#c77d0a",
    RunStatus.CRASHED: "#c0392b",
}
# Text and background are the notebook's own.
_CELL = "text-align:left"  # notebooks put it on the right
_FACT = "margin:0 16px 2px 0;display:inline-block"


def run_html(run: Run) -> str:
    """A run: name, id, status, times, and tables of what it logged."""
    info, data = run.info, run.data
    facts = {
        "Experiment": info.experiment_id,
        "Started": moment(info.start_time),
        "Lasted": _lasted(info.start_time, info.end_time),
        "User": info.user_id,
        "Artifacts": info.artifact_uri,
    }
    return _fragment(
        _heading(info.run_name or "Run", info.run_id, _status(info.status), _bin(info.lifecycle_stage)),
        _facts(facts),
        _details("Metrics", data.metrics, is_open=True),
        _details("Params", data.params, is_open=True),
        _details("Tags", data.tags),
    )


def experiment_html(experiment: Experiment) -> str:
    """An experiment: name, id, place of its artifacts, times and tags."""
    facts = {
        "Created": moment(experiment.creation_time),
        "Changed": moment(experiment.last_update_time),
        "Artifacts": experiment.artifact_location,
    }
    return _fragment(
        _heading(experiment.name, f"experiment {experiment.experiment_id}", _bin(experiment.lifecycle_stage)),
        _facts(facts),
        _details("Tags", experiment.tags),
    )


def runs_html(runs: Page[Run]) -> str:
    """Runs beside each other, with the metrics and params that most of them have."""
    first = runs[:_MOST_ROWS]
    metrics, params = _common(run.data.metrics for run in first), _common(run.data.params for run in first)
    head = ["Run", "Id", "Status", "Started", "Lasted", *map(_text, metrics), *map(_text, params)]
    rows = ([*_beginning(run), *_values(run.data.metrics, metrics), *_values(run.data.params, params)] for run in first)
    return _fragment(_count(runs, "run"), _table(head, rows), _rest(runs))


def experiments_html(experiments: Page[Experiment]) -> str:
    """Experiments below each other."""
    rows = (
        [_text(each.name), _code(each.experiment_id), _text(moment(each.creation_time)), _text(each.artifact_location)]
        for each in experiments[:_MOST_ROWS]
    )
    table = _table(["Experiment", "Id", "Created", "Artifacts"], rows)
    return _fragment(_count(experiments, "experiment"), table, _rest(experiments))


def _count(page: Page[Any], what: str) -> str:
    return f"<strong>{len(page)} {what}{'' if len(page) == 1 else 's'}</strong>"


def _rest(page: Page[Any]) -> str:
    more = [f"… and {len(page) - _MOST_ROWS} more"] if len(page) > _MOST_ROWS else []
    behind = ["further pages behind this one"] if page.token is not None else []
    return "; ".join(more + behind)


def _beginning(run: Run) -> list[str]:
    info = run.info
    times = moment(info.start_time), _lasted(info.start_time, info.end_time)
    return [_text(info.run_name), _code(info.run_id), _status(info.status), *map(_text, times)]


def _values(logged: Mapping[str, object], keys: Iterable[str]) -> list[str]:
    return [_text(logged.get(key)) for key in keys]


def _common(mappings: Iterable[Mapping[str, object]]) -> list[str]:
    """The keys that most of them have."""
    return [key for key, _ in Counter(chain.from_iterable(mappings)).most_common(_MOST_COLUMNS)]


# --- pieces ---------------------------------------------------------------------------------------------------


def _fragment(*parts: str) -> str:
    # These classes keep a notebook from typesetting what stands between dollar signs as a formula.
    return f'<div class="tex2jax_ignore mathjax_ignore">{"".join(f"<div>{part}</div>" for part in parts if part)}</div>'


def _heading(name: str, identifier: str, *marks: str) -> str:
    return " ".join([f"<strong>{_text(name)}</strong>", _code(identifier), *filter(None, marks)])


def _status(status: str) -> str:
    color = _COLORS.get(status, "inherit")
    return f'<span style="white-space:nowrap"><span style="color:{color}">●</span> {_text(status)}</span>'


def _bin(stage: str) -> str:
    return "" if stage == LifecycleStage.ACTIVE else f"({_text(stage)})"


def _facts(facts: Mapping[str, str | None]) -> str:
    return "".join(
        f'<span style="{_FACT}"><span style="opacity:.7">{name}</span> {_text(value)}</span>'
        for name, value in facts.items()
        if value
    )


def _details(what: str, entries: Mapping[str, object], *, is_open: bool = False) -> str:
    if not entries:
        return ""
    rows = [[_text(key), _text(value)] for key, value in islice(entries.items(), _MOST_ROWS)]
    more = f"<div>… and {len(entries) - _MOST_ROWS} more</div>" if len(entries) > _MOST_ROWS else ""
    summary = f'<summary style="cursor:pointer">{what} ({len(entries)})</summary>'
    return f"<details{' open' if is_open else ''}>{summary}{_table((), rows)}{more}</details>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = _row('th scope="col"', "th", head)
    body = "".join(_row("td", "td", row) for row in rows)
    return f"<table>{f'<thead>{top}</thead>' if head else ''}<tbody>{body}</tbody></table>"


def _row(opening: str, closing: str, cells: Iterable[str]) -> str:
    return "<tr>" + "".join(f'<{opening} style="{_CELL}">{cell}</{closing}>' for cell in cells) + "</tr>"


def _code(text: str) -> str:
    return f"<code>{_text(text)}</code>"


def _text(value: object) -> str:
    """A value from anywhere, harmless; what is written from right to left does not turn round what is beside it."""
    return "" if value is None else f"<bdi>{escape(shortened(str(value)))}</bdi>"


def _lasted(start: int | None, end: int | None) -> str | None:
    if not start or not end or end < start:
        return None
    seconds = (end - start) / 1000
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s"
    minutes, hours = int(seconds // 60), int(seconds // 3600)
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min {int(seconds % 60)} s"
