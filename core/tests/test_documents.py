from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail.documents import dump_yaml, read_yaml, shown
from dovetail.errors import InvalidModel, InvalidProject

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str | bytes], dict[str, Any]]:
    path = tmp_path / "MLproject"

    def write_and_read(text: str | bytes) -> dict[str, Any]:
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return read_yaml(path, error=InvalidProject)

    return write_and_read


def test_a_mapping_is_read(read: Callable[[str | bytes], dict[str, Any]]) -> None:
    assert read("name: wine\nlist: [1, two]\n") == {"name": "wine", "list": [1, "two"]}


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n"])
def test_an_empty_file_holds_nothing(read: Callable[[str | bytes], dict[str, Any]], text: str) -> None:
    assert read(text) == {}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("name: wine\nentry: [1, 2\n", "line 3, column 1"),
        ("name: wine\n\tbad: tab\n", "line 2, column 1"),
        ("a: 1\nb: 2\na: 3\n", "line 3, column 1"),
        ("a:\n  x: 1\n  x: 2\n", "line 3, column 3"),
        ("a: *nowhere\n", "line 1, column 4"),
        ("a: !!python/object/apply:os.system ['id']\n", "line 1, column 4"),
        ("a: b: c\n", "line 1, column 5"),
    ],
)
def test_a_broken_file_names_file_line_and_column(
    read: Callable[[str | bytes], dict[str, Any]], tmp_path: Path, text: str, place: str
) -> None:
    with pytest.raises(InvalidProject) as caught:
        read(text)
    assert str(tmp_path / "MLproject") in caught.value.message
    assert place in caught.value.message


def test_a_tab_is_called_a_tab(read: Callable[[str | bytes], dict[str, Any]]) -> None:
    with pytest.raises(InvalidProject, match="Indent with spaces, not tabs"):
        read("entry_points:\n\tmain: x\n")


def test_a_doubled_key_is_called_by_its_name(read: Callable[[str | bytes], dict[str, Any]]) -> None:
    with pytest.raises(InvalidProject, match="'dependencies' stands twice"):
        read("dependencies: [a]\ndependencies: [b]\n")


@pytest.mark.parametrize("text", ["- a\n- b\n", "just words\n", "42\n"])
def test_what_is_no_mapping_is_refused(read: Callable[[str | bytes], dict[str, Any]], text: str) -> None:
    with pytest.raises(InvalidProject, match="line 1: expected"):
        read(text)


@pytest.mark.parametrize("text", [b"\xff\xfe\x00", b"a: \x80\n", b"a: \x00\n"])
def test_what_is_no_text_is_refused(read: Callable[[str | bytes], dict[str, Any]], text: bytes) -> None:
    with pytest.raises(InvalidProject, match="not valid YAML"):
        read(text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match=r"MLmodel cannot be read: No such file"):
        read_yaml(tmp_path / "MLmodel", error=InvalidModel)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match="cannot be read"):
        read_yaml(tmp_path, error=InvalidModel)


def test_aliases_that_blow_up_are_refused(read: Callable[[str | bytes], dict[str, Any]]) -> None:
    bomb = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 14))
    with pytest.raises(InvalidProject, match="aliases"):
        read(bomb)


def test_so_are_few_aliases_that_stand_for_millions_of_values(read: Callable[[str | bytes], dict[str, Any]]) -> None:
    bomb = "a0: &a0 [x, y, z, x, y, z]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 6)}]\n" for i in range(1, 15)
    )
    assert bomb.count("*") < 100
    with pytest.raises(InvalidProject, match="stand for more than 100000 values"):
        read(bomb)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("? !!set {a, b}\n: c\n", "cannot be a key"),
        ("? [a, b]\n: c\n", "cannot be a key"),
        (f"name: {'9' * 5000}\n", "more than 500 digits"),
        (f"name: 0x{'f' * 5000}\n", "more than 500 digits"),
        ("a: !!int ''\n", "not what its tag says"),
        ("a: !!bool perhaps\n", "not what its tag says"),
        ("a: !!timestamp soon\n", "not what its tag says"),
        ("a: &a [*a]\n", "holds itself"),
        ("a: [" + "x, " * 100_001 + "]\n", "more than 100000 values"),
    ],
)
def test_values_that_cannot_be_are_one_error(
    read: Callable[[str | bytes], dict[str, Any]], text: str, reason: str
) -> None:
    with pytest.raises(InvalidProject, match=reason) as caught:
        read(text)
    assert len(caught.value.message) < 500


@given(
    value=st.recursive(
        st.text() | st.integers() | st.binary(), lambda inner: st.lists(inner) | st.frozensets(st.text())
    )
)
def test_values_in_messages_are_short(value: object) -> None:
    assert len(shown(value)) <= 161


def test_ordinary_anchors_and_merges_work(read: Callable[[str | bytes], dict[str, Any]]) -> None:
    text = "base: &base {a: 1, b: 2}\nmore:\n  <<: *base\n  b: 3\n"
    assert read(text)["more"] == {"a": 1, "b": 3}


def test_deep_nesting_is_an_error_and_no_crash(read: Callable[[str | bytes], dict[str, Any]]) -> None:
    with pytest.raises(InvalidProject):
        read("a: " + "[" * 100_000)


def test_a_huge_file_is_refused(read: Callable[[str | bytes], dict[str, Any]]) -> None:
    with pytest.raises(InvalidProject, match="larger than 16 MiB"):
        read(b"#" * (16 * 1024 * 1024 + 1))


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(content=st.dictionaries(st.text(), PLAIN, max_size=4))
def test_what_is_dumped_is_read_back(tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any]) -> None:
    path = tmp_path_factory.mktemp("yaml") / "file.yaml"
    path.write_text(dump_yaml(content), encoding="utf-8")
    assert read_yaml(path, error=InvalidProject) == content


def test_keys_are_dumped_in_the_order_given() -> None:
    assert dump_yaml({"b": 1, "a": "ä"}) == "b: 1\na: ä\n"
