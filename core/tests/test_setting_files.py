"""Settings in a ``.env``, which may be ours or some other program's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as options
from hypothesis import strategies as st

from dovetail import settings
from dovetail.errors import InvalidSetting

# The files of one example are overwritten by the next one.
suppressed = options(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def write(name: str, text: str) -> Path:
    path = Path(name).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
    return path


class TestDotenv:
    @pytest.mark.parametrize(
        ("line", "value"),
        [
            ("DOVETAIL_RUN_ID=abc", "abc"),
            ("  DOVETAIL_RUN_ID = abc  # the one of yesterday", "abc"),
            ("export DOVETAIL_RUN_ID=abc", "abc"),
            ("DOVETAIL_RUN_ID='a b'", "a b"),
            ('DOVETAIL_RUN_ID="a b"', "a b"),
            ("'DOVETAIL_RUN_ID'=abc", "abc"),
            ("MLFLOW_RUN_ID=abc", "abc"),
            ("MLFLOW_RUN_ID=theirs\nDOVETAIL_RUN_ID=ours", "ours"),
            ("DOVETAIL_RUN_ID=first\nDOVETAIL_RUN_ID=last", "last"),
            ("DOVETAIL_RUN_ID=$HOME", "$HOME"),
            ("\ufeffDOVETAIL_RUN_ID=abc", "abc"),
            ("A=1\rDOVETAIL_RUN_ID=abc\r", "abc"),
            ("A=1\r\nDOVETAIL_RUN_ID=abc\r\n", "abc"),
            ("# DOVETAIL_RUN_ID=abc", None),
            ("DOVETAIL_RUN_ID=", None),
            ("DOVETAIL_RUN_ID", None),
            ("OTHER_DOVETAIL_RUN_ID=abc", None),
            ("RUN_ID=abc", None),
        ],
    )
    def test_sets_what_its_lines_say(self, line: str, value: str | None) -> None:
        write(".env", line)
        assert settings.get("run_id") == value

    def test_gives_way_to_the_environment_whichever_name_is_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write(".env", "DOVETAIL_RUN_ID=file\n")
        monkeypatch.setenv("MLFLOW_RUN_ID", "environment")
        assert settings.get("run_id") == "environment"

    def test_leaves_what_it_does_not_set_to_the_other_file(self) -> None:
        write("dovetail.toml", 'run_id = "toml"\nbusy_timeout = 5\n')
        write(".env", "DOVETAIL_RUN_ID=dotenv\n")
        assert (settings.get("run_id"), settings.get("busy_timeout")) == ("dotenv", 5.0)

    def test_puts_nothing_into_the_environment(self) -> None:
        write(".env", "DOVETAIL_RUN_ID=abc\nSECRET=hunter2\n")
        settings.get("run_id")
        assert "DOVETAIL_RUN_ID" not in os.environ
        assert "SECRET" not in os.environ

    def test_is_the_nearest_one_with_a_setting_of_ours(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write(".env", "DOVETAIL_RUN_ID=outer\n")
        write("inner/.env", "PASSWORD=hunter2\n")
        monkeypatch.chdir("inner")
        assert settings.get("run_id") == "outer"
        write(".env", "DOVETAIL_RUN_ID=inner\n")
        assert settings.get("run_id") == "inner"

    @pytest.mark.parametrize("border", [".git/HEAD", "dovetail.toml"])
    def test_is_not_looked_for_above_the_project(self, border: str, monkeypatch: pytest.MonkeyPatch) -> None:
        write(".env", "DOVETAIL_RUN_ID=outer\n")
        write(f"project/{border}", "")
        monkeypatch.chdir("project")
        assert settings.get("run_id") is None

    def test_means_places_beside_itself(self, monkeypatch: pytest.MonkeyPatch) -> None:
        folder = write(".env", "DOVETAIL_TRACKING_URI=sqlite:///runs.db\nDOVETAIL_ARTIFACT_ROOT=files\n").parent
        Path("src").mkdir()
        monkeypatch.chdir("src")
        assert settings.get("tracking_uri") == f"sqlite:///{folder.as_posix()}/runs.db"
        assert settings.get("artifact_root") == str(folder / "files")

    def test_takes_effect_when_it_changes_and_ends_when_it_goes(self) -> None:
        path = write(".env", "DOVETAIL_RUN_ID=a\n")
        assert settings.get("run_id") == "a"
        write(".env", "DOVETAIL_RUN_ID=bcd\n")
        assert settings.get("run_id") == "bcd"
        path.unlink()
        assert settings.get("run_id") is None

    @pytest.mark.parametrize("place", ["environment", "file", "itself"])
    def test_can_be_switched_off(self, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
        text = "DOVETAIL_RUN_ID=abc\n"
        if place == "environment":
            monkeypatch.setenv("DOVETAIL_DOTENV", "false")
        elif place == "file":
            write("dovetail.toml", "dotenv = false\n")
        else:
            text += "DOVETAIL_DOTENV=false\n"
        write(".env", text)
        assert settings.get("run_id") is None
        assert settings.get("dotenv") is False

    def test_that_is_switched_off_may_be_broken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write(".env", "DOVETAIL_RUN_ID='abc\n")
        monkeypatch.setenv("DOVETAIL_DOTENV", "no")
        assert settings.get("run_id") is None

    def test_with_a_wrong_value_is_named(self) -> None:
        path = write(".env", "DOVETAIL_BUSY_TIMEOUT=soon\n")
        with pytest.raises(InvalidSetting, match="busy_timeout is set to 'soon' by") as caught:
            settings.get("busy_timeout")
        assert str(path) in str(caught.value)

    def test_with_a_slip_of_the_pen_is_told_what_was_meant(self) -> None:
        write(".env", "DOVETAIL_TRACKNG_URI=runs.db\n")
        with pytest.warns(UserWarning, match="sets DOVETAIL_TRACKNG_URI.*did you mean DOVETAIL_TRACKING_URI?"):
            assert settings.get("tracking_uri") is None

    def test_without_anything_of_ours_costs_no_parser(self) -> None:
        write(".env", "SECRET=1\n")
        program = "import sys; from dovetail import settings; settings.get('run_id'); print('dotenv' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "False"


class TestDotenvOfOthers:
    """Other programs have files of that name, and they must not stop ours."""

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"\xff\xfe\x00",
            b"SECRET='unclosed\n=\n\x00",
            b"<html>DOVETAIL_RUN_ID</html>",
            b"MLFLOW_S3_ENDPOINT_URL='http://unclosed",
            "SECRET=größe".encode("latin-1"),
            b"A=" + b"x" * 100_000,
        ],
        ids=lambda content: repr(content[:20]),
    )
    def test_of_any_content(self, content: bytes) -> None:
        Path(".env").write_bytes(content)
        assert settings.get("run_id") is None

    def test_a_folder(self) -> None:
        Path(".env/bin").mkdir(parents=True)
        assert settings.get("run_id") is None

    @pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes of this kind")
    def test_a_pipe_that_nobody_writes_to(self) -> None:
        os.mkfifo(".env")
        assert settings.get("run_id") is None

    @pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
    def test_a_link_that_leads_nowhere(self) -> None:
        Path(".env").symlink_to("gone")
        assert settings.get("run_id") is None

    def test_a_huge_one_is_spoken_of_and_not_read(self) -> None:
        Path(".env").write_bytes(b"DOVETAIL_RUN_ID=abc\n" + b"#" * (1 << 20))
        with pytest.warns(UserWarning, match="larger than 1 MiB.*DOVETAIL_DOTENV=false"):
            assert settings.get("run_id") is None

    @pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="nothing is forbidden to this user")
    def test_a_closed_one_is_spoken_of(self) -> None:
        write(".env", "DOVETAIL_RUN_ID=abc\n").chmod(0)
        with pytest.warns(UserWarning, match="Permission denied.*DOVETAIL_DOTENV=false"):
            assert settings.get("run_id") is None

    def test_lines_that_cannot_be_read_beside_ours(self) -> None:
        write(".env", "SECRET='unclosed\nDOVETAIL_RUN_ID=abc\n-----BEGIN KEY-----\n")
        assert settings.get("run_id") == "abc"

    def test_our_name_inside_of_somebody_elses_value(self) -> None:
        write(".env", 'SCRIPT="set -e\nDOVETAIL_RUN_ID=abc\n"\n')
        assert settings.get("run_id") is None

    @pytest.mark.parametrize(
        ("content", "hint"),
        [
            (b"DOVETAIL_RUN_ID='abc\n", "in quotes"),
            (b'A=1\nMLFLOW_RUN_ID="abc\n', "MLFLOW_RUN_ID=<value>"),
            (b"DOVETAIL_RUN_ID=\xff", "UTF-8"),
            ("\ufeffDOVETAIL_RUN_ID=abc\r\n".encode("utf-16-le"), "UTF-8"),
            (b"DOVETAIL_RUN_ID=abc\x00", "UTF-8"),
            (b"DOVETAIL_RUN_ID=${USER}-1", "write the value out"),
        ],
        ids=repr,
    )
    def test_one_of_ours_that_cannot_be_read_is_an_error(self, content: bytes, hint: str) -> None:
        Path(".env").write_bytes(content)
        with pytest.raises(InvalidSetting, match=r"\.env sets \w+_RUN_ID in a way that cannot be read") as caught:
            settings.get("run_id")
        assert hint in str(caught.value.hint)

    @given(st.binary(max_size=200))
    @example(b"DOVETAIL_RUN_ID=\n'")
    @suppressed
    def test_whatever_it_holds_nothing_but_its_own_error_comes_of_it(self, content: bytes) -> None:
        Path(".env").write_bytes(content)
        assert settings.get("run_id") is None or b"RUN_ID" in content

    @given(
        st.lists(st.sampled_from([b"DOVETAIL_RUN_ID", b"=", b"'", b'"', b"\n", b"\\", b"$", b"{", b"}", b"#", b" "]))
    )
    @suppressed
    def test_whatever_is_made_of_our_names(self, parts: list[bytes]) -> None:
        Path(".env").write_bytes(b"".join(parts))
        try:
            value = settings.get("run_id")
        except InvalidSetting:
            return
        assert value is None or value
