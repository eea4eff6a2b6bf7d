"""Bars of transfers, as a person at a terminal sees them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.artifacts.progress import Transferred

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Opener = Callable[..., Any]


@pytest.mark.parametrize(
    ("transferred", "share"),
    [
        (Transferred(1, 2, 30, 40), 0.75),
        (Transferred(1, 2, 30, None), 0.5),
        (Transferred(1, 2, 0, 0), 0.5),
        (Transferred(0, 0, 0, 0), 0.0),
    ],
)
def test_the_share_that_is_done(transferred: Transferred, share: float) -> None:
    assert transferred.share == share


class TestALongTransfer:
    def test_has_a_bar_and_leaves_the_screen_as_it_was(self, at_terminal: Opener) -> None:
        terminal = at_terminal("say('before'); transfer.upload(Store(), made('model'), ''); say('after')")
        screen = terminal.finish(after="B/s")
        assert re.search(r"Uploading model .*/16 files.*/335\.5 MB.*B/s", terminal.words)
        assert screen.text == ["before", "after"]
        assert screen.cursor_is_shown

    def test_down_has_one_too(self, at_terminal: Opener) -> None:
        terminal = at_terminal("transfer.download(Store(), '', Path('here'))")
        screen = terminal.finish(after="B/s")
        assert re.search(r"Downloading artifacts .*/16 files.*/335\.5 MB", terminal.words)
        assert screen.text == []

    def test_of_one_file_has_one_line(self, at_terminal: Opener) -> None:
        terminal = at_terminal("transfer.upload(Store(), made('one', 1, 400) / '0', 'large')")
        terminal.read_until("B/s")
        assert len(terminal.screen.text) == 1
        assert "files" not in terminal.written
        assert terminal.finish().text == []

    def test_hides_the_cursor_for_no_moment_in_which_it_could_be_killed(self, at_terminal: Opener) -> None:
        terminal = at_terminal("transfer.upload(Store(), made('model'), '')")
        terminal.read_until("Uploading")
        terminal.process.kill()
        terminal.process.wait()
        while terminal.read():
            pass
        assert terminal.screen.cursor_is_shown

    def test_shows_no_character_of_a_name_that_steers_the_terminal(self, at_terminal: Opener) -> None:
        terminal = at_terminal("transfer.upload(Store(), made('\\x1b[2Jm[red]\\u202eo' + 'x' * 60), '')")
        assert terminal.finish(after="Uploading").text == []
        assert "Uploading ?[2Jm[red]?ox…" in terminal.written

    def test_lets_what_is_printed_meanwhile_through_to_where_it_belongs(self, at_terminal: Opener) -> None:
        terminal = at_terminal(
            """
            def talk():
                for number in range(10):
                    print("epoch", number, sys.stdout is sys.__stdout__, sys.stderr is sys.__stderr__, flush=True)
                    time.sleep(0.1)
            thread = threading.Thread(target=talk)
            thread.start()
            transfer.upload(Store(), made('model'), '')
            """
        )
        terminal.finish(after="Uploading")
        assert terminal.process.stdout is not None
        assert terminal.process.stdout.read().decode() == "".join(f"epoch {number} True True\n" for number in range(10))
        assert "epoch" not in terminal.written


class TestSeveralAtOnce:
    def test_share_the_screen(self, at_terminal: Opener) -> None:
        terminal = at_terminal(
            """
            folders = [made(f"model{number}", 4 * (number + 3)) for number in range(3)]
            uploads = [threading.Thread(target=transfer.upload, args=(Store(), each, "")) for each in folders]
            [each.start() for each in uploads]
            [each.join() for each in uploads]
            say("after", alone())
            """
        )
        terminal.read_until("Uploading model0")
        terminal.read_until("Uploading model1")
        screen = terminal.finish(after="Uploading model2")
        assert screen.text == ["after True"]

    def test_one_after_the_other_have_a_bar_each(self, at_terminal: Opener) -> None:
        terminal = at_terminal(
            """
            for name in 'ab':
                Path('enough').unlink(missing_ok=True)
                transfer.upload(Store(), made(name), '')
                say('did', name)
            """
        )
        terminal.read_until("Uploading a")
        terminal.hurry()
        terminal.read_until("did a")
        assert terminal.finish(after="Uploading b").text == ["did a", "did b"]


class TestNobodyIsDisturbed:
    FAST = "transfer.upload(MemoryArtifactStore(), made('model', 20, 1), ''); assert 'rich' not in sys.modules"

    def test_by_a_short_transfer(self, at_terminal: Opener) -> None:
        terminal = at_terminal(f"{self.FAST}; assert alone()")
        terminal.finish()
        assert terminal.written == ""

    def test_by_one_that_is_about_to_end(self, at_terminal: Opener) -> None:
        terminal = at_terminal("transfer.upload(Store(), made('model', 8, 10), ''); assert 'rich' not in sys.modules")
        terminal.finish()
        assert terminal.written == ""

    @pytest.mark.parametrize(
        "variables",
        [
            {"DOVETAIL_ARTIFACTS_PROGRESS": "false"},
            {"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"},
            {"TERM": "dumb"},
        ],
        ids=str,
    )
    def test_who_does_not_want_it(self, at_terminal: Opener, variables: dict[str, str]) -> None:
        terminal = at_terminal("transfer.upload(Store(), made('model'), '')", **variables)
        terminal.finish(after=1.5)
        assert terminal.written == ""

    def test_where_nobody_looks(self, preamble: str, tmp_path: Path) -> None:
        script = """
threading.Timer(1.5, Path("enough").touch).start()
transfer.upload(Store(), made('model'), '')
assert 'rich' not in sys.modules
"""
        command = [sys.executable, "-c", preamble + script]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def test_where_there_is_no_standard_error(self, at_terminal: Opener) -> None:
        at_terminal("sys.stderr = None; transfer.upload(Store(), made('model', 2, 30), '')").finish(after=1.5)
        at_terminal("sys.stderr.close(); transfer.upload(Store(), made('other', 2, 30), '')").finish(after=1.5)

    def test_who_asks_for_the_numbers(self, at_terminal: Opener) -> None:
        terminal = at_terminal("transfer.upload(Store(), made('model'), '', progress=lambda transferred: None)")
        terminal.finish(after=1.5)
        assert terminal.written == ""

    def test_who_has_a_live_display(self, at_terminal: Opener) -> None:
        terminal = at_terminal(
            """
            from rich.console import Console
            from rich.progress import Progress
            with Progress(console=Console(stderr=True)) as own:
                own.add_task("Training")
                transfer.upload(Store(), made('model'), '')
            """
        )
        terminal.finish(after=1.5)
        assert "Training" in terminal.written
        assert "Uploading" not in terminal.written

    def test_by_forked_children(self, at_terminal: Opener) -> None:
        terminal = at_terminal(
            """
            import warnings
            warnings.simplefilter("ignore", DeprecationWarning)  # of newer Pythons: that threads do not survive it
            ours, folder = made('model'), made('child')
            parent = threading.Thread(target=transfer.upload, args=(Store(), ours, ""))
            parent.start()
            time.sleep(0.3)
            if (child := os.fork()) == 0:
                transfer.upload(Store(), folder, '')
                os._exit(0)
            os.waitpid(child, 0)
            parent.join()
            """
        )
        assert terminal.finish(after="Uploading model").text == []
        assert "Uploading child" not in terminal.written


class TestWhatGoesWrong:
    def test_is_said_on_a_clean_line(self, at_terminal: Opener) -> None:
        terminal = at_terminal(
            """
            class Failing(Store):
                def put(self, path, stream):
                    super().put(path, stream)
                    raise StoreUnavailable("The wire is cut.")
            try:
                transfer.upload(Failing(), made('model'), '')
            except StoreUnavailable as error:
                say(error)
            """
        )
        screen = terminal.finish(after="Uploading model")
        assert screen.text == ["The wire is cut."]

    def test_ctrl_c_leaves_a_clean_screen(self, at_terminal: Opener) -> None:
        terminal = at_terminal(
            """
            try:
                transfer.upload(Store(), made('model'), '')
            except KeyboardInterrupt:
                say("interrupted", alone())
            """
        )
        terminal.read_until("B/s")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.finish().text == ["interrupted True"]

    def test_ctrl_c_again_and_again_leaves_a_clean_screen(self, at_terminal: Opener) -> None:
        terminal = at_terminal(
            """
            try:
                transfer.upload(Store(), made('model'), '')
            except KeyboardInterrupt:
                pass
            """
        )
        terminal.read_until("B/s")
        for _ in range(3):
            terminal.process.send_signal(signal.SIGINT)
        while terminal.read():
            pass
        terminal.process.wait(timeout=10)
        assert [line for line in terminal.screen.text if "Uploading" in line] == []

    def test_a_terminal_that_goes_away_does_not_end_the_transfer(self, at_terminal: Opener) -> None:
        terminal = at_terminal(
            """
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            transfer.upload(Store(), made('model'), '')
            Path('done').touch()
            """
        )
        terminal.read_until("Uploading")
        os.close(terminal.master)
        terminal.master = os.open(os.devnull, os.O_RDONLY)
        terminal.hurry()
        output, _ = terminal.process.communicate(timeout=30)
        assert (terminal.process.returncode, output) == (0, b"")

    def test_the_end_of_the_program_does_not_wait_for_a_daemon_thread(self, at_terminal: Opener) -> None:
        terminal = at_terminal(
            """
            work = threading.Thread(target=transfer.upload, args=(Store(), made('m', 1, 900) / '0', "a"), daemon=True)
            work.start()
            time.sleep(6)
            """
        )
        terminal.read_until("Uploading 0")
        while terminal.read():  # 900 blocks would take a minute and a half
            pass
        assert terminal.process.wait(timeout=10) == 0
        assert terminal.screen.text == []

    def test_a_transfer_at_the_very_end_of_the_program_goes_through(self, at_terminal: Opener) -> None:
        terminal = at_terminal(
            """
            import atexit
            folder = made('model', 1, 3)
            atexit.register(lambda: (transfer.upload(Store(), folder / '0', 'a'), say('kept')))
            """
        )
        assert terminal.finish().text == ["kept"]

    def test_a_setting_that_is_neither_yes_nor_no_is_named_before_anything_is_moved(self, at_terminal: Opener) -> None:
        terminal = at_terminal(
            """
            from dovetail.errors import InvalidSetting
            store = MemoryArtifactStore()
            try:
                transfer.upload(store, made('model'), '')
            except InvalidSetting as error:
                print(error.message, store.files)
            """,
            DOVETAIL_ARTIFACTS_PROGRESS="perhaps",
        )
        terminal.finish()
        assert terminal.process.stdout is not None
        output = terminal.process.stdout.read().decode()
        assert "'perhaps' by DOVETAIL_ARTIFACTS_PROGRESS" in output
        assert output.endswith("{}\n")
