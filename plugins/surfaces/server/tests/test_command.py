"""``dovetail server``, from its start to its end."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

import dovetail
from dovetail.tracking import places
from dovetail_server.testing import Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    yield
    places.forget_places()


def said(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """What it says that does not come to serve anything."""
    argv = [sys.executable, "-c", "from dovetail.cli.main import main; main()", "server", *options]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


class TestAServer:
    def test_serves_the_database_here_and_artifacts_beside_it(self, tmp_path: Path) -> None:
        with Server(tmp_path) as server:
            run_id = server.new_run()
            assert server.ask("GET", "/health") == (200, "OK")
            _, found = server.ask("GET", f"runs/get?run_id={run_id}")
            assert found["run"]["info"]["artifact_uri"] == f"mlflow-artifacts:/0/{run_id}/artifacts"
        run = dovetail.Client(f"sqlite:///{tmp_path}/dovetail.db").get_run(run_id)
        place = tmp_path / "dovetail-artifacts" / "0" / run_id / "artifacts"
        assert run.info.artifact_uri == place.as_uri(), "without the server it is where it would be"

    @pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
    def test_ends_well_when_it_is_told_to(self, tmp_path: Path, how: int) -> None:
        server = Server(tmp_path)
        server.ask("GET", "/health")
        assert server.stop(how) == 0
        assert server.errors() == ""

    @pytest.mark.parametrize("workers", ["1", "2"])
    @pytest.mark.parametrize("moment", [0, 0.02, 0.1])
    def test_ends_well_when_it_is_told_to_while_it_begins(self, tmp_path: Path, workers: str, moment: float) -> None:
        server = Server(tmp_path, "--workers", workers)
        time.sleep(moment)
        assert server.stop() == 0
        assert server.errors() == ""

    def test_answers_what_was_asked_before_it_ends(self, tmp_path: Path) -> None:
        server, stored, failed = Server(tmp_path), [], []
        run_id = server.new_run()

        def log() -> None:
            for step in range(100_000):
                point = {"run_id": run_id, "key": "loss", "value": step, "timestamp": step, "step": step}
                try:
                    status, _ = server.ask("POST", "runs/log-metric", point)
                except OSError:
                    return
                (stored if status == 200 else failed).append(step)

        threads = [threading.Thread(target=log) for _ in range(4)]
        for each in threads:
            each.start()
        time.sleep(1)
        assert server.stop() == 0
        for each in threads:
            each.join()
        store = dovetail.Client(f"sqlite:///{tmp_path}/dovetail.db")
        found = {point.step for point in store.get_metric_history(run_id, "loss")}
        assert stored
        assert set(stored) <= found

    def test_keeps_what_it_acknowledged_when_it_is_killed(self, tmp_path: Path) -> None:
        stored = 0
        with Server(tmp_path) as server:
            run_id = server.new_run()
            threading.Timer(0.7, server.process.kill).start()
            with suppress(OSError):
                for step in range(100_000):
                    batch = {"metrics": [{"key": "loss", "value": 1, "timestamp": 1, "step": step}]}
                    server.ask("POST", "runs/log-batch", {"run_id": run_id, **batch})
                    stored = step
        store = dovetail.Client(f"sqlite:///{tmp_path}/dovetail.db")
        assert {point.step for point in store.get_metric_history(run_id, "loss")} >= set(range(stored + 1))


class TestOptions:
    def test_say_where_runs_and_artifacts_go(self, tmp_path: Path) -> None:
        options = ["--backend-store-uri", "sqlite:///runs.db", "--artifacts-destination", "files"]
        with Server(tmp_path, *options) as server:
            run_id = server.new_run()
        run = dovetail.Client(f"sqlite:///{tmp_path}/runs.db").get_run(run_id)
        assert run.info.artifact_uri == (tmp_path / "files" / "0" / run_id / "artifacts").as_uri()

    def test_may_tell_clients_a_place_that_they_reach_themselves(self, tmp_path: Path) -> None:
        with Server(tmp_path, "--default-artifact-root", str(tmp_path / "shared")) as server:
            _, made = server.ask("POST", "experiments/create", {"name": "a"})
            _, found = server.ask("GET", f"experiments/get?experiment_id={made['experiment_id']}")
        assert found["experiment"]["artifact_location"] == (tmp_path / "shared" / made["experiment_id"]).as_uri()

    def test_may_leave_artifacts_out(self, tmp_path: Path) -> None:
        with Server(tmp_path, "--no-serve-artifacts") as server:
            run_id = server.new_run()
            _, found = server.ask("GET", f"runs/get?run_id={run_id}")
            assert found["run"]["info"]["artifact_uri"].startswith("file://")
            assert server.ask("GET", "/api/2.0/mlflow-artifacts/artifacts")[0] == 501

    def test_may_leave_everything_else_out(self, tmp_path: Path) -> None:
        with Server(tmp_path, "--artifacts-only") as server:
            status, found = server.ask("GET", "experiments/get?experiment_id=0")
            assert status == 501, "clients of MLflow's try again for minutes what is answered 503"
            assert "--artifacts-only" in found["message"]
            assert server.ask("GET", "/api/2.0/mlflow-artifacts/artifacts")[0] == 200
        assert not (tmp_path / "dovetail.db").exists()

    def test_may_put_all_of_it_below_a_prefix(self, tmp_path: Path) -> None:
        with Server(tmp_path, "--static-prefix", "/tracking/") as server:
            assert server.url.endswith("/tracking")
            assert server.new_run()
            bare = server.url.removesuffix("/tracking")
            server.url = bare
            assert server.ask("GET", "experiments/get?experiment_id=0")[0] == 404
            assert server.ask("GET", "/health") == (200, "OK")

    def test_may_have_several_processes_share_the_work(self, tmp_path: Path) -> None:
        with Server(tmp_path, "--workers", "3") as server:
            server.wait()
            run_ids = {server.new_run() for _ in range(20)}
            for each in run_ids:
                assert server.ask("POST", "runs/set-tag", {"run_id": each, "key": "k", "value": "v"})[0] == 200
            assert server.stop() == 0
        assert len(dovetail.Client(f"sqlite:///{tmp_path}/dovetail.db").search_runs(["0"], "tags.k = 'v'")) == 20


class TestWhatItSays:
    """What whoever starts a server reads, all of which clients can use."""

    @staticmethod
    def read(server: Server) -> str:
        """What it said but the first line, which says where it is."""
        server.wait()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.stdout is not None
        return server.process.stdout.read()

    def test_is_where_clients_track(self, tmp_path: Path) -> None:
        with Server(tmp_path) as server:
            (line,) = self.read(server).splitlines()
        assert line.split()[:2] == ["export", f"DOVETAIL_TRACKING_URI={server.url}"]

    @pytest.mark.parametrize("prefix", [(), ("--static-prefix", "/files")])
    def test_of_a_server_for_artifacts_alone_is_the_place_for_experiments(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefix: tuple[str, ...]
    ) -> None:
        pytest.importorskip("dovetail_http")
        monkeypatch.setenv("DOVETAIL_TRACKING_URI", "http://127.0.0.1:1")  # where nothing of this one's is
        with Server(tmp_path, "--artifacts-only", "--artifacts-destination", "kept", *prefix) as server:
            assert server.process.stdout is not None
            text = "".join(server.process.stdout.readline() for _ in range(2))
            assert (tmp_path / "kept").as_uri() in text
            assert "export" not in text
            place = text.rpartition('artifact_location="')[2].split('"')[0]
            client = dovetail.Client(f"sqlite:///{tmp_path}/runs.db")
            run = client.create_run(client.create_experiment("a", artifact_location=place))
            client.log_text(run.info.run_id, "there", "a.txt")
        (there,) = (tmp_path / "kept" / "team").rglob("a.txt")
        assert there.read_text() == "there"

    @pytest.mark.parametrize("options", [["--default-artifact-root", "shared"], ["--no-serve-artifacts"]])
    def test_is_that_clients_write_to_their_own_disks(self, tmp_path: Path, options: list[str]) -> None:
        with Server(tmp_path, *options) as server:
            told = self.read(server).splitlines()[1]
        place = "shared" if "shared" in options else "dovetail-artifacts/0"
        assert f"Clients keep artifacts at {(tmp_path / place).as_uri()} themselves" in told

    def test_is_nothing_of_that_where_artifacts_are_for_all(self, tmp_path: Path) -> None:
        with Server(tmp_path, "--default-artifact-root", "mlflow-artifacts://files.example.com:5001/a") as server:
            assert "Clients keep" not in self.read(server)


class TestWhatCannotBe:
    @pytest.mark.parametrize("host", ["0.0.0.0", "::"])
    def test_is_a_server_for_others_that_asks_nobody_who_they_are(self, tmp_path: Path, host: str) -> None:
        done = said(tmp_path, "--host", host, "--port", "0")
        assert done.returncode == 2
        assert "--insecure" in done.stderr

    def test_is_two_servers_at_one_port(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            done = said(tmp_path, "--port", str(taken.getsockname()[1]))
        assert done.returncode == 7
        assert "--port" in done.stderr

    @pytest.mark.parametrize(
        "options",
        [
            ["--artifacts-only", "--backend-store-uri", "sqlite:///a.db"],
            ["--artifacts-only", "--no-serve-artifacts"],
            ["--backend-store-uri", "http://127.0.0.1:1"],
            ["--static-prefix", "tracking"],
            ["--static-prefix", "/a b"],
            ["--ssl-certfile", "a.pem"],
            ["--host", "no.such.host.invalid", "--insecure"],
            ["--port", "70000"],
            ["--workers", "0"],
        ],
    )
    def test_is_said_at_once(self, tmp_path: Path, options: list[str]) -> None:
        done = said(tmp_path, *options)
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
        assert not (tmp_path / "dovetail.db").exists()

    def test_is_a_server_over_a_server_and_it_is_said_who_named_that(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = said(tmp_path, "--port", "0", "--backend-store-uri", "http://127.0.0.1:1")
        assert "http://127.0.0.1:1, which --backend-store-uri names, is a server itself" in asked.stderr
        for variable in ("MLFLOW_TRACKING_URI", "DOVETAIL_TRACKING_URI"):
            monkeypatch.setenv(variable, "http://ada:tops3cret@127.0.0.1:1")
            done = said(tmp_path, "--port", "0")
            assert done.returncode == 2
            assert f"127.0.0.1:1, which {variable} names, is a server itself" in " ".join(done.stderr.split())
            assert "tops3cret" not in done.stderr

    def test_is_a_server_over_what_nothing_is_installed_for(self, tmp_path: Path) -> None:
        assert said(tmp_path, "--port", "0", "--backend-store-uri", "nothing://at/all").returncode == 6

    def test_is_a_server_over_a_database_that_is_no_database(self, tmp_path: Path) -> None:
        (tmp_path / "dovetail.db").write_text("no database at all" * 100)
        done = said(tmp_path, "--port", "0")
        assert done.returncode == 7
        assert "Traceback" not in done.stderr


class TestAnswersOnTheNetwork:
    @pytest.mark.parametrize("workers", ["1", "2"])
    def test_come_without_waiting_for_more_to_send(self, tmp_path: Path, workers: str) -> None:
        """Where the system waits for more to send, and the client to acknowledge, each request takes 40 ms and more."""
        with Server(tmp_path, "--workers", workers) as server:
            run_id = server.new_run()
            host, _, port = server.url.removeprefix("http://").partition(":")
            taken: list[float] = []
            with socket.create_connection((host, int(port))) as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # clients see to their half themselves
                for step in range(60):
                    body = b'{"run_id":"%s","key":"loss","value":1,"timestamp":1,"step":%d}' % (run_id.encode(), step)
                    begin = time.perf_counter()
                    # Head and body apart, as many clients send them.
                    connection.sendall(
                        b"POST /api/2.0/mlflow/runs/log-metric HTTP/1.1\r\nHost: localhost\r\n"
                        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
                    )
                    connection.sendall(body)
                    assert _answer(connection).startswith(b"HTTP/1.1 200")
                    taken.append(time.perf_counter() - begin)
        assert sorted(taken)[len(taken) // 2] < 0.03


def _answer(connection: socket.socket) -> bytes:
    """An answer whose body is as long as it says."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
    )
    while len(body) < length:
        body += connection.recv(65536)
    return data


def test_the_help_names_every_option(dovetail_help: Any) -> None:
    text = dovetail_help
    for option in ("--backend-store-uri", "--artifacts-destination", "--allowed-hosts", "--insecure", "--workers"):
        assert option in text
    assert "6 nothing installed knows" in " ".join(text.split()), "every code that it exits with"


@pytest.fixture
def dovetail_help(tmp_path: Path) -> str:
    return said(tmp_path, "--help").stdout
