"""``dovetail server``."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dovetail import plugins, settings, uris
from dovetail.cli import output
from dovetail.cli.group import GroupApp
from dovetail.errors import InvalidInput
from dovetail.tracking import places
from dovetail_server.site import PROXY

if TYPE_CHECKING:
    from dovetail_server.options import Options, Plan

__all__ = ["app"]

app = GroupApp()

_URI = "URI"


@app.command(context_settings={"help_option_names": ["--help"]})  # -h is --host, as in MLflow
def server(
    *,
    backend_store_uri: Annotated[
        str | None,
        typer.Option(metavar=_URI, help="Where runs are kept, a database or dir:FOLDER; by default the tracking URI."),
    ] = None,
    registry_store_uri: Annotated[
        str | None, typer.Option(metavar=_URI, help="Where models are registered; by default there, too.")
    ] = None,
    default_artifact_root: Annotated[
        str | None,
        typer.Option(metavar=_URI, help="Where new experiments keep artifacts, if clients are to reach that directly."),
    ] = None,
    artifacts_destination: Annotated[
        str | None,
        typer.Option(metavar=_URI, help="Where artifacts lie that the server passes on; by default beside the store."),
    ] = None,
    serve_artifacts: Annotated[
        bool, typer.Option("--serve-artifacts/--no-serve-artifacts", help="Whether artifacts are passed on.")
    ] = True,
    artifacts_only: Annotated[
        bool, typer.Option("--artifacts-only", help="Pass on artifacts, and nothing else.")
    ] = False,
    host: Annotated[str, typer.Option("-h", "--host", help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("-p", "--port", min=0, max=65535, help="The port; 0 for a free one.")] = 5000,
    workers: Annotated[int, typer.Option("-w", "--workers", min=1, max=64, help="Processes that share the work.")] = 1,
    static_prefix: Annotated[str, typer.Option(metavar="/PATH", help="What all paths begin with.")] = "",
    allowed_hosts: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Names to answer to, with commas between; * stands for any part of one."),
    ] = None,
    cors_allowed_origins: Annotated[
        str | None, typer.Option(metavar="ORIGINS", help="Sites whose pages may use the server, with commas between.")
    ] = None,
    ssl_certfile: Annotated[str | None, typer.Option(metavar="FILE", help="The certificate, for https.")] = None,
    ssl_keyfile: Annotated[str | None, typer.Option(metavar="FILE", help="Its key.")] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Let everybody do everything, also from other machines.")
    ] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Print a line for each request.")] = False,
) -> None:
    """Serve experiments, runs, models and artifacts at one URL, to dovetail's and MLflow's clients.

    Ctrl-C ends it: what was accepted by then is stored.

    Exit codes: 0 it was told to end, 2 options that cannot be, 6 nothing installed knows the scheme of a place, 7 it
    cannot listen there, or a store cannot be opened.
    """
    from dovetail_server.guard import is_loopback
    from dovetail_server.listening import listener
    from dovetail_server.options import Options
    from dovetail_server.running import run

    if artifacts_only and backend_store_uri is not None:
        raise InvalidInput("With --artifacts-only nothing is tracked.", hint="Leave out --backend-store-uri.")
    if artifacts_only and not serve_artifacts:
        raise InvalidInput("--artifacts-only and --no-serve-artifacts leave nothing to serve.")
    root = _place(default_artifact_root)
    plan = _plan(
        backend_store_uri,
        registry_store_uri,
        root,
        _place(artifacts_destination),
        serves_artifacts=serve_artifacts,
        only_artifacts=artifacts_only,
    )
    options = Options(
        plan,
        _listed(allowed_hosts),
        _listed(cors_allowed_origins),
        _prefix(static_prefix),
        _access(loopback=is_loopback(host), insecure=insecure),
    )
    ssl = _ssl(ssl_certfile, ssl_keyfile)
    sock = listener(host, port)
    try:
        told = _open_once(plan, root)
    except BaseException:
        sock.close()
        raise
    place = f"{f'[{host}]' if ':' in host else host}:{sock.getsockname()[1]}"
    say = partial(_say, options, place, "https" if ssl else "http", told)
    run(options, sock, say, workers=workers, verbose=verbose, ssl=ssl)


def _plan(
    tracking: str | None,
    registry: str | None,
    root: str | None,
    destination: str | None,
    *,
    serves_artifacts: bool,
    only_artifacts: bool,
) -> Plan:
    from dovetail_server.options import Plan

    if root is not None and root.startswith(PROXY) and not root.startswith(f"{PROXY}//") and serves_artifacts:
        root = None  # as it is without the option
    if (kept := root or destination) is not None:
        os.environ["DOVETAIL_ARTIFACT_ROOT"] = kept  # where new experiments go, in workers, too
    if destination is None and (only_artifacts or root is not None):
        destination = _place("dovetail-artifacts" if root else settings.get("artifact_root") or "dovetail-artifacts")
    if only_artifacts:
        return Plan("", None, destination, serves_artifacts, only_artifacts)
    tracking_uri = places.resolved(tracking) if tracking is not None else places.get_tracking_uri()
    if uris.scheme_of(tracking_uri) in ("http", "https"):
        said = "--backend-store-uri" if tracking is not None else settings.origin("tracking_uri")
        raise InvalidInput(
            f"{uris.masked(tracking_uri)}, which {said} names, is a server itself.",
            hint="Choose a database with --backend-store-uri.",
        )
    registry_uri = places.resolved(registry) if registry is not None else places.registry_uri_beside(tracking_uri)
    return Plan(tracking_uri, registry_uri, destination, serves_artifacts, only_artifacts)


def _place(location: str | None) -> str | None:
    """A location that means the same to workers, and to other machines as far as it can."""
    if location is None or location.startswith(PROXY):
        return location
    return places.artifact_location(location)


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(each.strip() for each in (text or "").split(",") if each.strip())


def _prefix(prefix: str) -> str:
    """A prefix of paths.

    Raises:
        InvalidInput: It is none.
    """
    prefix = prefix.rstrip("/")
    if prefix and (not prefix.startswith("/") or any(mark in prefix for mark in "{}?#% ")):
        raise InvalidInput(f"{prefix!r} is no prefix of paths.", hint="Write it as /tracking.")
    return prefix


def _access(*, loopback: bool, insecure: bool) -> str:
    """Who decides what may be done.

    Raises:
        InvalidInput: Nobody, and other machines could reach the server.
    """
    if plugins.listens("dovetail_authenticate") and plugins.listens("dovetail_authorize"):
        return "plugins"
    if not loopback and not insecure:
        raise InvalidInput(
            "Other machines could reach this server, and nothing is installed that asks them who they are.",
            hint="Listen at 127.0.0.1, install a plugin that asks, or add --insecure where the network is trusted.",
        )
    return "open"


def _ssl(certificate: str | None, key: str | None) -> dict[str, Any] | None:
    if (certificate is None) != (key is None):
        raise InvalidInput("--ssl-certfile and --ssl-keyfile are given together.")
    return None if certificate is None else {"ssl_certfile": certificate, "ssl_keyfile": key}


def _open_once(plan: Plan, root: str | None) -> str:
    """See to it that what is wrong with a store is said now, and not by the first request.

    Args:
        plan: What is served.
        root: Where new experiments keep artifacts, if that was said.

    Returns:
        Where clients are told that artifacts are; empty where they are told of none.
    """
    from dovetail_server.site import Site

    site, told = Site(plan), ""
    if not plan.only_artifacts:
        told = site.shown(root or site.tracking.get_experiment("0").artifact_location)
    if plan.serves_artifacts:
        next(iter(site.artifacts.list()), None)
    site.close()  # workers open them themselves
    return told


def _say(options: Options, place: str, scheme: str, told: str) -> None:
    plan, url = options.plan, f"{scheme}://{place}{options.prefix}"
    typer.echo(f"Serving {'artifacts' if plan.only_artifacts else uris.masked(plan.tracking_uri)} at {url}")
    if plan.only_artifacts:
        typer.echo(f"  They lie at {uris.masked(plan.artifact_root or '')}, and are used by experiments made with")
        typer.echo(f'  artifact_location="{PROXY}//{place}{_below(options.prefix)}/team"')
        return
    typer.echo(
        f"  export DOVETAIL_TRACKING_URI={url}  {output.styled('# or MLFLOW_TRACKING_URI: for clients', dim=True)}"
    )
    if told and uris.is_local(told):
        typer.echo(f"  Clients keep artifacts at {told} themselves: those on other machines, on their own disks.")


def _below(prefix: str) -> str:
    """What stands behind the host in places of artifacts that are reached below a prefix."""
    return f"{prefix}/api/2.0/mlflow-artifacts/artifacts" if prefix else ""
