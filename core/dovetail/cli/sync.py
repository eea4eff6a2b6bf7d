"""``dovetail sync``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dovetail.cli import output, selection
from dovetail.cli.group import GroupApp
from dovetail.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dovetail.errors import DovetailError
    from dovetail.tracking.syncing_report import SyncReport
    from dovetail.tracking.syncing_waiting import Waiting

__all__ = ["app", "show_report"]

app = GroupApp()

_MOST = 20
"""Refusals that are told of one by one."""


@app.command()
def sync(
    source: Annotated[
        str | None,
        typer.Argument(metavar="SRC", help="URI of the store to read; without it, what waits on this machine is sent."),
    ] = None,
    destination: Annotated[str | None, selection.DESTINATION] = None,
    *,
    experiment: Annotated[list[str] | None, selection.EXPERIMENTS] = None,
    run: Annotated[
        list[str] | None, typer.Option("--run", metavar="ID", help="Only this one; may be repeated.")
    ] = None,
    artifacts: Annotated[bool, typer.Option("--artifacts", help="Copy the files of runs and models, too.")] = False,
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Compare whole histories also where the latest points are equal.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be brought.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Only say what waits on this machine.")] = False,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Bring experiments, runs and logged models from one store into another.

    Runs keep their ids, times and histories; what is there already is not written again, and nothing is removed. It may
    be interrupted and called again. Without arguments, what was logged offline and what waits for a store that was away
    is sent to where it belongs.

    Exit codes: 0 all is there, 1 the destination refused some of it, 7 a store cannot be reached.
    """
    chosen: dict[str, Any] = {"experiments": experiment or (), "run_ids": run or ()}
    if source is None or status:
        if source is not None or experiment or run or artifacts or thorough or (status and dry_run):
            raise InvalidInput(
                "What waits on this machine is all sent to where it belongs, and --status tells of all of it.",
                hint="Name SRC and DST to choose what goes where; leave out the other options to send what waits.",
            )
        _show_waiting(json=json) if status else _send(dry_run=dry_run, json=json)
        return
    report = _counted(
        lambda tell: _sync()(
            source, destination, **chosen, artifacts=artifacts, thorough=thorough, dry_run=dry_run, progress=tell
        )
    )
    brought = report.runs_created + report.runs_updated + report.models_created + report.models_updated
    left = "Artifacts stay where they are: --artifacts copies them." if brought and not artifacts else ""
    show_report(report, json=json, left=left)


def show_report(report: SyncReport, *, json: bool, left: str = "") -> None:
    """Print what was brought, what was left, and what was refused; exit with 1 if anything was."""
    if json:
        output.json_out(_as_json(report))
    else:
        _say(report, left)
    if report.refused:
        raise typer.Exit(1)


def _sync() -> Callable[..., SyncReport]:
    from dovetail.tracking.syncing import sync as verb

    return verb


def _counted(work: Callable[[Callable[[str], None]], SyncReport]) -> SyncReport:
    from dovetail.cli.counting import Counter

    with Counter("runs done") as counter:
        return work(counter.add)


# --- what waits ------------------------------------------------------------------------------------------------


def _send(*, dry_run: bool, json: bool) -> None:
    """Send what waits, place by place: one that is away keeps no other from its due."""
    from dovetail.cli.counting import Counter
    from dovetail.tracking.syncing_waiting import send_each

    done: list[tuple[SyncReport, DovetailError | None]] = []
    with Counter("runs done") as counter:
        done.extend(send_each(dry_run=dry_run, progress=counter.add))
    if json:
        output.json_out([{**_as_json(report), "failure": _reason(failure)} for report, failure in done])
    else:
        _say_sent(done)
    if failures := [failure for _, failure in done if failure is not None]:
        raise failures[0]
    if any(report.refused for report, _ in done):
        raise typer.Exit(1)


def _say_sent(done: Sequence[tuple[SyncReport, DovetailError | None]]) -> None:
    """Tell of what was sent, or could not be; what had nothing new is worth a line of all of it."""
    news = [each for each in done if each[1] is not None or each[0].changed or each[0].refused]
    quiet = len(done) - len(news)
    raised = next((failure for _, failure in done if failure is not None), None)
    for report, failure in done if len(done) == 1 else news:
        _say(report) if failure is None else _say_failed(report, "" if failure is raised else failure.message)
    if not done:
        typer.echo("Nothing waits on this machine.")
    elif quiet and len(done) > 1:
        typer.echo(f"{_some(quiet, 'other folder' if news else 'folder')} had nothing new.")


def _reason(failure: DovetailError | None) -> str | None:
    return None if failure is None else failure.message


def _say_failed(report: SyncReport, why: str) -> None:
    """Tell of what stays; why is left out of what the command ends with."""
    said = f"{report.source} stays for now, {report.destination} cannot take it"
    typer.echo(output.one_line(f"{said}: {why}" if why else f"{said}."))


def _show_waiting(*, json: bool) -> None:
    from dovetail.tracking.syncing_waiting import waiting

    found = waiting()
    if json:
        output.json_out([each.__dict__ for each in found])
        return
    output.table(
        ["What", ">Count", "Belongs to", "Where it lies"],
        [_row(each) for each in found if each.count],
        empty="Nothing waits on this machine.",
    )
    if sent := sum(not each.count for each in found):
        typer.echo(f"All that was logged in {_some(sent, 'offline folder')} was sent.")
    if any(each.kind in ("journal", "output", "offline") and each.count for each in found):
        output.next_steps(("sync", "send it"))


_WORDS = {
    "journal": "left behind by",
    "output": "console output of runs",
    "live": "being logged by",
    "offline": "runs to be sent",
    "refused": "refused",
    "unreadable": "unreadable:",
}


def _row(each: Waiting) -> Sequence[str]:
    return [f"{_WORDS[each.kind]} {each.detail}".strip(), str(each.count), each.destination or "-", each.path]


# --- what was done ---------------------------------------------------------------------------------------------


def _as_json(report: SyncReport) -> dict[str, Any]:
    return {**report.__dict__, "refused": [each.__dict__ for each in report.refused]}


def _say(report: SyncReport, left: str = "") -> None:
    parts = [
        _some(report.experiments_created, "experiment"),
        _some(report.runs_created, "run"),
        _more(report.runs_updated, "run"),
        _some(report.models_created + report.models_updated, "logged model"),
        *([] if report.registry else _registered(report)),
        _some(report.points, "point"),
        _some(report.files, "file", f" ({output.size(report.bytes)})"),
        _some(report.journals, "journal"),
        _some(report.outputs, "run", "'s console output" if report.outputs == 1 else "' console output"),
    ]
    _say_brought(report, parts, report.destination)
    if report.registry and any(registered := _registered(report)):
        _say_brought(report, registered, report.registry)
    if report.runs_unchanged:
        typer.echo(f"{_some(report.runs_unchanged, 'run')} had nothing new.")
    if report.kept:
        typer.echo(f"{_some(report.kept, 'tag')} stayed as the destination has them.")
    if left:
        typer.echo(left)
    _say_refused(report)


def _say_brought(report: SyncReport, parts: Sequence[str], destination: str) -> None:
    said = ", ".join(part for part in parts if part) or "nothing new"
    verb = "Would bring" if report.dry_run else "Brought"
    typer.echo(output.one_line(f"{verb} {said} from {report.source} to {destination}."))


def _registered(report: SyncReport) -> list[str]:
    return [
        _some(report.versions_created, "registered version"),
        _more(report.versions_updated, "registered model or version", "registered models and versions"),
    ]


def _say_refused(report: SyncReport) -> None:
    for each in report.refused[:_MOST]:
        typer.echo(output.one_line(f"Refused: {each.kind} of {each.id}: {each.reason}"), err=True)
    if len(report.refused) > _MOST:
        typer.echo(f"... and {len(report.refused) - _MOST} more; --json tells of all.", err=True)


def _some(count: int, what: str, behind: str = "") -> str:
    return f"{count} {what}{'' if count == 1 else 's'}{behind}" if count else ""


def _more(count: int, what: str, whats: str = "") -> str:
    return f"more of {count} {what if count == 1 else whats or f'{what}s'}" if count else ""
