"""``dovetail gc``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dovetail.cli import output
from dovetail.cli.consent import require_consent
from dovetail.cli.group import GroupApp
from dovetail.errors import InvalidInput, StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.tracking.housekeeping import Collected, GarbageReport

__all__ = ["app"]

app = GroupApp()

_KINDS = {"run": "run", "logged_model": "model", "experiment": "experiment"}
_IDS = "Only these, by their ids with commas between them; beside the others that are named."


@app.command()
def collect(
    *,
    older_than: Annotated[
        str | None,
        typer.Option(
            metavar="AGE",
            help="How long it must have been in the bin, such as 30d or 1d2h3m4s; by default `retention`.",
        ),
    ] = None,
    run_ids: Annotated[str | None, typer.Option(metavar="IDS", help=f"{_IDS} Runs.")] = None,
    experiment_ids: Annotated[
        str | None, typer.Option(metavar="IDS", help="Likewise experiments, with all that is in them.")
    ] = None,
    logged_model_ids: Annotated[str | None, typer.Option(metavar="IDS", help="Likewise logged models.")] = None,
    backend_store_uri: Annotated[
        str | None, typer.Option(metavar="URI", help="Where; by default the tracking URI in force.")
    ] = None,
    tracking_uri: Annotated[str | None, typer.Option(metavar="URI", help="The same.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    vacuum: Annotated[
        bool, typer.Option("--vacuum", help="Then have the database give the space back; it is locked meanwhile.")
    ] = False,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")] = False,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Take away for good what was deleted: runs, logged models and experiments, their artifacts first.

    What a registered model version refers to stays in the bin, and the name of an experiment that goes is free again.
    If this is interrupted, or artifacts cannot be removed (exit code 7), calling it again goes on where it was.
    """
    named: dict[str, Any] = {
        "older_than": older_than,
        "run_ids": _split(run_ids),
        "experiment_ids": _split(experiment_ids),
        "logged_model_ids": _split(logged_model_ids),
        "tracking_uri": _one_of(backend_store_uri, tracking_uri),
    }
    if vacuum and dry_run:
        raise InvalidInput("--vacuum changes the database, and --dry-run does not.", hint="Leave out one of the two.")
    shown = None
    if not dry_run and not yes:
        shown = _collected(named, dry_run=True)
        _ask(shown, json=json)
    report = _collected(named, dry_run=dry_run, confirmed=shown)
    if not json:
        _show(report)
    given_back = _compacted(named["tracking_uri"]) if vacuum else None
    if json:
        output.json_out(_as_json(report, given_back))
    elif vacuum:
        typer.echo(_said(given_back))
    _require_success(report)


def _compacted(uri: str | None) -> int | None:
    from dovetail.tracking import places

    return (places.open_store(uri) if uri else places.tracking_store()).compact()


def _said(given_back: int | None) -> str:
    if given_back is None:
        return "The store sees to its space by itself."
    return f"The database gave {output.size(given_back)} back."


def _as_json(report: GarbageReport, given_back: int | None) -> dict[str, Any]:
    items = [each.__dict__ for each in report.collected]
    return {"dry_run": report.dry_run, "bytes": report.size, "given_back": given_back, "items": items}


def _require_success(report: GarbageReport) -> None:
    if not report.failed:
        return
    first, failing = report.failed[0], "cannot be looked at" if report.dry_run else "could not be removed"
    raise StoreError(
        f"{_things(report.failed)} {failing}; the first is {_KINDS[first.kind]} {first.id}: {first.reason}",
        hint="Some of it may be beyond restoring; `dovetail gc` goes on with it once the reason is gone.",
    )


def _split(ids: str | None) -> list[str]:
    if ids is None:
        return []
    found = [each.strip() for each in ids.split(",") if each.strip()]
    if not found:
        # Nothing would otherwise mean everything.
        raise InvalidInput(f"{ids!r} names no ids.", hint="Write them with commas between them.")
    return found


def _one_of(backend_store_uri: str | None, tracking_uri: str | None) -> str | None:
    if backend_store_uri and tracking_uri and backend_store_uri != tracking_uri:
        raise InvalidInput(
            "--backend-store-uri and --tracking-uri name two places.", hint="Give one: they mean the same here."
        )
    return backend_store_uri or tracking_uri


def _ask(found: GarbageReport, *, json: bool) -> None:
    if not found.removed:
        return
    require_consent(
        f"Remove {_things(found.removed)} for good, {output.size(found.size)}?",
        f"{_things(found.removed)} would be removed for good",
        json=json,
        hint="Say --yes, or look with --dry-run.",
        show=lambda: _table(found),
    )


def _collected(named: dict[str, Any], *, dry_run: bool, confirmed: GarbageReport | None = None) -> GarbageReport:
    from dovetail.cli.counting import Counter
    from dovetail.tracking.housekeeping import collect_garbage

    with Counter("looked at" if dry_run else "done") as counter:
        return collect_garbage(**named, dry_run=dry_run, confirmed=confirmed, progress=counter.add)


def _show(report: GarbageReport) -> None:
    if not report.collected:
        typer.echo("There is nothing to remove.")
        return
    _table(report)
    said = f"{'Would remove' if report.dry_run else 'Removed'} {_things(report.removed)}, {output.size(report.size)}"
    typer.echo(f"{said}; {_things(report.kept)} stay{'s' * (len(report.kept) == 1)}." if report.kept else f"{said}.")


def _table(report: GarbageReport) -> None:
    output.table(
        ["Kind", "Id", "Name", ">Size", "Outcome"], [_row(each, report) for each in report.collected], empty=""
    )


def _row(each: Collected, report: GarbageReport) -> list[str]:
    removed = each.outcome == "removed"
    outcome = ("to be removed" if report.dry_run else "removed") if removed else f"{each.outcome}: {each.reason}"
    return [_KINDS[each.kind], each.id, each.name, output.size(each.size) if removed else "-", outcome]


def _things(found: Sequence[Collected]) -> str:
    return f"{len(found)} thing{'' if len(found) == 1 else 's'}"
