"""``dovetail artifacts``."""

from __future__ import annotations

import posixpath
import shlex
import sys
from contextlib import contextmanager
from pathlib import Path  # noqa: TC003 - typer reads it
from typing import TYPE_CHECKING, Annotated

import typer

from dovetail.cli import completion, output
from dovetail.cli.group import GroupApp
from dovetail.cli.run_ids import find_run
from dovetail.errors import DovetailError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dovetail.values import FileInfo

__all__ = ["app"]

app = GroupApp("List, upload and download the files of runs.")

RUN = typer.Option("-r", "--run-id", help="The run's id, or the beginning of it.", autocompletion=completion.run_ids)
PATH = typer.Option("-a", "--artifact-path", help="A folder or file among its artifacts.")


@app.command("list")
def list_artifacts(
    run_id: Annotated[str, RUN],
    artifact_path: Annotated[str | None, PATH] = None,
    recursive: Annotated[bool, typer.Option("--recursive", help="All files below it, instead of one folder.")] = False,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """List one folder of a run's artifacts, or all files in it and below it."""
    run_id = find_run(run_id).info.run_id
    entries = _below(run_id, artifact_path) if recursive else _entries(run_id, artifact_path)
    if json:
        output.json_out([dict(entry.__dict__) for entry in entries])
        return
    rows = [[f"{each.path}/" if each.is_dir else each.path, _size(each.file_size)] for each in entries]
    output.table(["Path", ">Size"], rows, empty=f"Nothing under {artifact_path or 'the root'} of run {run_id}.")
    if recursive and entries:
        typer.echo(output.styled(_total(entries), dim=True))
    folders = [each.path for each in entries if each.is_dir]
    if folders and sys.stdout.isatty():
        typer.echo()
        output.next_steps((f"artifacts list -r {run_id} -a {shlex.quote(folders[0])}", "what is in a folder"))


def _entries(run_id: str, path: str | None) -> list[FileInfo]:
    from dovetail.tracking.client import Client

    return Client().list_artifacts(run_id, path)


def _below(run_id: str, path: str | None) -> list[FileInfo]:
    from dovetail import locations, uris

    store = locations.run_artifacts(run_id)
    found: list[FileInfo] = []
    folders = [uris.artifact_path(path)]
    seen = set(folders)  # a store that listed a folder in itself would never come to an end
    while folders:
        entries = list(store.list(folders.pop()))
        found += [each for each in entries if not each.is_dir]
        folders += [each.path for each in entries if each.is_dir and each.path not in seen]
        seen.update(folders)
    return sorted(found, key=lambda each: each.path)


def _total(entries: list[FileInfo]) -> str:
    known = [each.file_size for each in entries if each.file_size is not None]
    return f"{len(entries)} file{'s' * (len(entries) != 1)}, {_size(sum(known))}"


def _size(size: int | None) -> str:
    if size is None:
        return ""
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":  # noqa: PLR2004
            return f"{int(amount)} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return ""


@app.command()
def download(
    run_id: Annotated[str | None, RUN] = None,
    artifact_uri: Annotated[
        str | None,
        typer.Option(
            "-u",
            "--artifact-uri",
            help="Any location, such as runs:/RUN_ID/path or models:/NAME/VERSION; instead of -r.",
        ),
    ] = None,
    artifact_path: Annotated[str, PATH] = "",
    dst_path: Annotated[Path | None, typer.Option("-d", "--dst-path", help="The folder to put it in.")] = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Bring an artifact to this machine and print its path.

    Without -d it goes to a new temporary folder, unless it is on this machine already: then nothing is copied.
    """
    if (run_id is None) == (artifact_uri is None):
        raise typer.BadParameter("Give either -r RUN_ID or -u URI.")
    if artifact_uri is not None and artifact_path:
        raise typer.BadParameter("-a belongs to -r; with -u write the path into the URI.")
    path = _from_run(run_id, artifact_path, dst_path) if run_id else _from_uri(str(artifact_uri), dst_path)
    if json:
        output.json_out({"path": path})
    else:
        typer.echo(path)


def _from_run(run_id: str, artifact_path: str, destination: Path | None) -> str:
    from dovetail.tracking.client import Client

    return Client().download_artifacts(find_run(run_id).info.run_id, artifact_path, destination)


def _from_uri(uri: str, destination: Path | None) -> str:
    from dovetail.tracking.artifact_reading import download_artifacts

    return download_artifacts(uri, dst_path=destination)


@app.command("log-artifact")
def log_artifact(
    local_file: Annotated[Path, typer.Option("-l", "--local-file", help="The file.")],
    run_id: Annotated[str, RUN],
    artifact_path: Annotated[str | None, PATH] = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Upload a file to a run."""
    from dovetail.tracking.client import Client

    run_id = find_run(run_id).info.run_id
    with _uploading(local_file):
        Client().log_artifact(run_id, local_file, artifact_path)
    _uploaded(str(local_file), run_id, posixpath.join(artifact_path or "", local_file.resolve().name), json=json)


@app.command("log-artifacts")
def log_artifacts(
    local_dir: Annotated[Path, typer.Option("-l", "--local-dir", help="The folder.")],
    run_id: Annotated[str, RUN],
    artifact_path: Annotated[str | None, PATH] = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Upload what is in a folder to a run."""
    from dovetail.tracking.client import Client

    run_id = find_run(run_id).info.run_id
    with _uploading(local_dir):
        Client().log_artifacts(run_id, local_dir, artifact_path)
    _uploaded(f"what is in {local_dir}", run_id, artifact_path or "", json=json)


def _uploaded(what: str, run_id: str, path: str, *, json: bool) -> None:
    if json:
        output.json_out({"run_id": run_id, "artifact_path": path, "uri": f"runs:/{run_id}/{path}"})
    else:
        typer.echo(output.one_line(f"Uploaded {what} to run {run_id}."))


@contextmanager
def _uploading(path: Path) -> Iterator[None]:
    """A file that may not be read, or that cannot be as some below /proc, is an error about that file."""
    try:
        yield
    except OSError as error:
        name = path if error.filename is None else error.filename
        raise DovetailError(f"{name} cannot be uploaded: {error.strerror or error}.") from error
