"""From values to the command line: what arrives in the command is what was given."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail.errors import InvalidInput, InvalidProject
from dovetail.projects.command import Command
from dovetail.projects.project import EntryPoint, Parameter

SHOW = f"{sys.executable} -c 'import json, sys; print(json.dumps(sys.argv[1:]))'"
ECHO = "printf '%s\\0'"
NASTY = [
    "two words",
    "it's",
    'say "hi"',
    "a;touch pwned",
    "$(touch pwned)",
    "`touch pwned`",
    "$HOME",
    "*",
    "~",
    "a&b|c>d<e",
    "back\\slash",
    "-x",
    "--",
    "",
    "line\nbreak\n",
    "{braces} {0} {{",
    "%s %d",
    "!history",
    "é ☃",
    "#comment",
    "=",
]


def entry(command: str, **kinds: Any) -> EntryPoint:
    return EntryPoint("main", command, {name: Parameter(name, kind) for name, kind in kinds.items()})


def arrived(text: str, folder: Any) -> list[str]:
    done = subprocess.run(["bash", "-c", text], cwd=folder, capture_output=True, check=True)
    return done.stdout.decode().split("\0")[:-1]


@pytest.mark.parametrize("value", NASTY)
def test_a_value_arrives_literally_wherever_it_is_put(tmp_path: Path, value: Any) -> None:
    command = Command(entry(f"{ECHO} {{x}} mid{{x}}dle", x="string"), {"x": value, "extra": value})
    assert arrived(command.text, tmp_path) == [value, f"mid{value}dle", "--extra", value]
    assert list(tmp_path.iterdir()) == []


@given(st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=20))
def test_any_text_arrives_literally(value: Any) -> None:
    command = Command(entry(f"{ECHO} {{x}}", x="string"), {"x": value})
    assert arrived(command.text, "/") == [value]


@pytest.mark.parametrize(
    "around",
    [
        'printf "{x}"',
        "printf '{x}'",
        'bash -c "printf {x}"',
        "printf `printf {x}`",
        "printf $'it\\'s {x}'",
        "true # {x}",
        "cat <<EOF\n{x}\nEOF\n",
        "cat <<-'EOF'\n{x}\nEOF\n",
        'printf "$(printf {x})"',
        'printf "\\"{x}"',
    ],
)
def test_within_quotes_of_the_authors_only_plain_values_are_taken(tmp_path: Path, around: str) -> None:
    """Quoting once more would end the author's quotes, and a value would become a command."""
    plain = Command(entry(around, x="string"), {"x": "plain-1.5,/a"}).text
    assert plain == around.replace("{x}", "plain-1.5,/a").rstrip()
    for value in ("a; touch pwned", "$(touch pwned)", "\ntouch pwned\n#", '"; touch pwned; "', "'; touch pwned; '"):
        with pytest.raises(InvalidProject, match="stands within quotes") as caught:
            Command(entry(around, x="string"), {"x": value})
        assert "Take the quotes around {x}" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "before",
    ["echo 'a b' ", 'echo "it\'s" ', "echo it\\'s ", "echo a#b ", "cat <<< x; echo ", "# it's\necho ", "echo '\\' "],
)
def test_quotes_that_are_closed_do_not_matter(before: str) -> None:
    assert Command(entry(before + "{x}", x="string"), {"x": "a b"}).text == f"{before}'a b'"


@pytest.mark.parametrize(
    "around",
    [
        "echo $(( {x} ))", "echo $(({x}))", "echo $(( (1+2)*{x} ))", "echo $(( ((1+2))*{x} ))", "(( {x} > 1 ))",
        "echo $[ {x} ]", "a[{x}]=1", "echo ${{A:-{x}}}", "[[ {x} -eq 1 ]]", "[[ -f a && {x} -eq 1 ]]", "let y={x}",
        "eval echo {x}", "true; eval {x}", "if eval {x}; then echo; fi",
    ],
)  # fmt: skip
def test_where_the_shell_reads_text_once_more_only_plain_values_are_taken(around: str) -> None:
    assert Command(entry(around, x="string"), {"x": "12"}).text == around.format(x="12")
    with pytest.raises(InvalidProject, match="cannot be put in safely"):
        Command(entry(around, x="string"), {"x": "a[$(touch pwned)]"})


@pytest.mark.parametrize(
    "before",
    [
        "echo $((1+2)) ", "echo $((1<<2)) ", 'echo "$((1<<2))" ', "[[ -f a ]] && echo ", "(cd a; echo ", "ls a[12] ",
        'eval "$(hook)" && python ', "python main.py eval ", "python --eval ", "echo ${{A}} ", "(( i++ )); echo ",
    ],
)  # fmt: skip
def test_beside_such_places_all_values_are_taken(before: str) -> None:
    assert Command(entry(before + "{x}", x="string"), {"x": "a b"}).text == f"{before.format()}'a b'"


def test_a_path_longer_than_any_is_none() -> None:
    with pytest.raises(InvalidProject, match="does not exist") as caught:
        Command(entry("cat {x}", x="path"), {"x": "x" * 5000})
    assert len(caught.value.message) < 300


def test_doubled_braces_are_braces(tmp_path: Path) -> None:
    assert arrived(Command(entry(f"{ECHO} '{{{{a}}}}' {{x}}", x="string"), {"x": "1"}).text, tmp_path) == ["{a}", "1"]


@pytest.mark.parametrize(
    "key", ["a b", "a;b", "$(touch pwned)", "`x`", "a=b", "-x", "", "a\nb", "a'b", "a/b", "é", "a\x00", "{x}", "a\n"]
)
def test_a_key_that_is_no_name_is_refused(key: str) -> None:
    with pytest.raises(InvalidProject, match="no parameter name"):
        Command(entry("echo"), {key: "1"})


def test_undeclared_values_are_appended_in_their_order(tmp_path: Path) -> None:
    command = Command(entry(f"{ECHO} {{a}}", a="string"), {"zeta": 1, "a": "x", "learning-rate": 0.5, "n_1.b": True})
    assert arrived(command.text, tmp_path) == ["x", "--zeta", "1", "--learning-rate", "0.5", "--n_1.b", "True"]
    assert command.values == {"zeta": "1", "a": "x", "learning-rate": "0.5", "n_1.b": "True"}


def test_they_belong_to_the_last_command_of_a_block(tmp_path: Path) -> None:
    """A block of YAML ends with a line break; flags behind it would be a command of their own."""
    assert arrived(Command(entry(f"true\n{ECHO} a\n"), {"b": "c"}).text, tmp_path) == ["a", "--b", "c"]


def test_declared_values_need_not_be_used() -> None:
    command = Command(entry("echo", x="string"), {"x": "1"})
    assert (command.text, command.values) == ("echo", {"x": "1"})


def test_all_missing_values_are_named_at_once() -> None:
    with pytest.raises(InvalidProject) as caught:
        Command(entry("echo {a} {b} {c}", a="string", b="path", c="uri"), {"b": "."})
    assert caught.value.message == "Entry point 'main' needs a value for a, c."
    assert caught.value.hint == "Add -P a=… -P c=…"


def test_none_is_not_given() -> None:
    declared = {"a": Parameter("a", "float", "0.5"), "b": Parameter("b")}
    command = Command(EntryPoint("main", "echo {a} {b}", declared), {"a": None, "b": "x", "c": None})
    assert command.text == "echo 0.5 x"
    with pytest.raises(InvalidProject, match="needs a value for b"):
        Command(EntryPoint("main", "echo {b}", declared), {"b": None})


@pytest.mark.parametrize("default", ["0", "False", "", "0.0"])
def test_a_default_that_counts_as_nothing_is_a_value(default: str | None, tmp_path: Path) -> None:
    command = Command(EntryPoint("main", f"{ECHO} {{x}}", {"x": Parameter("x", "string", default)}), {})
    assert arrived(command.text, tmp_path) == [default]
    assert command.values == {"x": default}


@pytest.mark.parametrize("value", [1, 0.5, -2, "1e-5", "+.5", "5.", " 7 ", "inf", "-Infinity", "NaN", 1e400])
def test_numbers_are_numbers(value: Any) -> None:
    assert Command(entry("echo {x}", x="float"), {"x": value}).values == {"x": str(value)}


@pytest.mark.parametrize(
    "value", ["", "high", "1,5", "0x10", "1_000", "1 2", "\u0661", "1e", "--1", "$(x)", "1\n;", True]
)
def test_what_is_no_number_is_refused_also_as_a_default(value: Any) -> None:
    with pytest.raises(InvalidProject, match="must be a number"):
        Command(entry("echo {x}", x="float"), {"x": value})
    with pytest.raises(InvalidProject, match="must be a number"):
        Command(EntryPoint("main", "echo {x}", {"x": Parameter("x", "float", str(value))}), {})


def test_whole_numbers() -> None:
    for value in (3, "-4", "1e3", "5.0"):
        Command(entry("echo {x}", x="int"), {"x": value})
    for value in ("0.5", "inf", "nan", "many"):
        with pytest.raises(InvalidProject, match="must be a"):
            Command(entry("echo {x}", x="int"), {"x": value})


def test_a_nul_cannot_be_passed_on() -> None:
    with pytest.raises(InvalidProject, match="NUL"):
        Command(entry("echo {x}", x="string"), {"x": "a\0b"})
    with pytest.raises(InvalidProject, match="NUL"):
        Command(entry("echo"), {"x": "a\0b"})


class TestPaths:
    @pytest.fixture(autouse=True)
    def here(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        (tmp_path / "work" / "data").mkdir(parents=True)
        (tmp_path / "work" / "data" / "it's rows.csv").write_text("1")
        (tmp_path / "project").mkdir()
        (tmp_path / "project" / "own.csv").write_text("2")
        monkeypatch.chdir(tmp_path / "work")
        return tmp_path

    def text(self, kind: str, value: Any) -> str:
        return Command(entry("{x}", x=kind), {"x": value}).text

    def test_relative_paths_are_made_absolute(self, here: Path) -> None:
        assert self.text("path", "data") == f"{here}/work/data"
        assert self.text("path", "data/../data") == f"{here}/work/data"
        assert self.text("path", str(here)) == str(here)
        assert self.text("path", (here / "work").as_uri()) == f"{here}/work"
        assert self.text("uri", "data/any.csv") == f"{here}/work/data/any.csv"

    def test_what_is_recorded_is_what_was_given(self) -> None:
        assert Command(entry("{x}", x="path"), {"x": "data"}).values == {"x": "data"}

    def test_they_are_quoted_like_all_values(self, here: Path) -> None:
        command = Command(entry("cat {x}", x="path"), {"x": "data/it's rows.csv"})
        assert subprocess.check_output(["bash", "-c", command.text], cwd="/") == b"1"

    def test_a_path_must_exist_and_a_uri_need_not(self, here: Path) -> None:
        with pytest.raises(InvalidProject, match="which does not exist"):
            self.text("path", "missing")
        assert self.text("uri", "missing") == f"{here}/work/missing"

    @pytest.mark.parametrize("value", ["s3://bucket/key", "file:///data/x.csv", "https://host/a?b=c", "runs:/abc/x"])
    def test_uris_are_left_as_they_are(self, value: Any) -> None:
        assert json.loads(subprocess.check_output(["bash", "-c", f"{SHOW} {self.text('uri', value)}"])) == [value]

    def test_the_home_folder(self, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(here))
        assert self.text("path", "~/work") == f"{here}/work"
        assert self.text("uri", "~/new") == f"{here}/new"

    @pytest.mark.parametrize("kind", ["path", "uri"])
    def test_an_empty_one_is_an_error(self, kind: str) -> None:
        with pytest.raises(InvalidInput):
            self.text(kind, "")

    def test_defaults_are_relative_to_the_project(self, here: Path) -> None:
        declared = EntryPoint("main", "{x}", {"x": Parameter("x", "path", "own.csv")})
        assert Command(declared, {}, folder=here / "project").text == f"{here}/project/own.csv"
        with pytest.raises(InvalidProject, match="which does not exist"):
            Command(declared, {"x": "own.csv"}, folder=here / "project")

    def test_remote_paths_are_downloaded(self, here: Path, shelf: str) -> None:
        from dovetail import Client

        client = Client()
        run = client.create_run("0").info.run_id
        client.log_text(run, "remote", "data/rows.csv")
        value = f"runs:/{run}/data/rows.csv"
        command = Command(entry("{x}", x="path"), {"x": value}, storage=Path("downloads"))
        assert Path(command.text).read_text() == "remote"
        assert Path(command.text).is_relative_to(here / "work" / "downloads"), (
            "absolute, since the command runs elsewhere"
        )
        assert Path(self.text("path", f"runs:/{run}/data")).joinpath("rows.csv").read_text() == "remote"
        assert command.values == {"x": value}


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [("{x:>5}", "ab", "'   ab'"), ("{x:.2}", "abcdef", "ab"), ("{x!s}", "a b", "'a b'"), ("{x!r}", "a", "\"'a'\"")],
)
def test_formats_of_text_apply_before_quoting(field: str, value: str, expected: str) -> None:
    text = Command(entry(f"run {field}", x="string"), {"x": value}).text
    assert shlex.split(text) == ["run", *shlex.split(expected)]
