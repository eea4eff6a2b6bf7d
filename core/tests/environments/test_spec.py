from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail.environments.spec import EnvSpec, LocalWheel, read_python_env, read_requirements, requirement_name
from dovetail.errors import InvalidProject


def written(folder: Path, **files: str) -> Path:
    """Files by their names with _ for the dot; the first one is answered."""
    paths = [folder / name.replace("_txt", ".txt").replace("_yaml", ".yaml") for name in files]
    for path, text in zip(paths, files.values(), strict=True):
        path.write_text(text, encoding="utf-8")
    return paths[0]


class TestPythonEnv:
    def test_an_ordinary_one_is_read(self, tmp_path: Path) -> None:
        path = written(
            tmp_path,
            python_env_yaml=(
                'python: "3.11.7"\nbuild_dependencies: [pip==24.0, wheel]\ndependencies:\n- -r req.txt\n- six\n'
            ),
            req_txt="numpy>=1.26  # arrays\n\n# a remark\npandas[parquet]==2.2.0 \\\n  --hash=sha256:00\n",
        )
        spec = read_python_env(path)
        assert spec == EnvSpec(
            python="3.11.7",
            dependencies=("numpy>=1.26", "pandas[parquet]==2.2.0    --hash=sha256:00", "six"),
            build_dependencies=("pip==24.0", "wheel"),
            source=str(path),
        )

    def test_an_empty_one_asks_for_nothing(self, tmp_path: Path) -> None:
        path = written(tmp_path, python_env_yaml="")
        assert read_python_env(path) == EnvSpec(source=str(path))

    @pytest.mark.parametrize(
        "python", ["3.10", "3", "[3, 10]", "true", '"three"', '"3.11.x"', '"3.11; rm"', '">=3.9 <4"']
    )
    def test_a_python_that_is_no_text_of_a_version_is_refused(self, tmp_path: Path, python: str) -> None:
        path = written(tmp_path, python_env_yaml=f"python: {python}\n")
        with pytest.raises(InvalidProject, match=r'python: "3\.11"') as caught:
            read_python_env(path)
        assert str(path) in caught.value.message

    @pytest.mark.parametrize("python", ["3.10", "3", "3.8.15", ">=3.10", ">=3.9,<3.12", "==3.11", "~=3.10", "=3.9"])
    def test_versions_and_comparisons_are_taken(self, tmp_path: Path, python: str) -> None:
        path = written(tmp_path, python_env_yaml=f'python: "{python}"\n')
        assert read_python_env(path).python == python

    def test_broken_yaml_names_file_line_and_column(self, tmp_path: Path) -> None:
        path = written(tmp_path, python_env_yaml='python: "3.11"\ndependencies: [numpy\n')
        with pytest.raises(InvalidProject, match=r"python_env\.yaml, line 3, column 1,"):
            read_python_env(path)

    def test_an_unknown_key_is_named(self, tmp_path: Path) -> None:
        path = written(tmp_path, python_env_yaml="dependencys: [numpy]\n")
        with pytest.raises(InvalidProject, match="unknown key 'dependencys'"):
            read_python_env(path)

    @pytest.mark.parametrize("value", ["numpy", "{numpy: 1}", "[1, 2]", "[[numpy]]"])
    def test_requirements_that_are_no_list_of_texts_are_refused(self, tmp_path: Path, value: str) -> None:
        path = written(tmp_path, python_env_yaml=f"dependencies: {value}\n")
        with pytest.raises(InvalidProject, match="dependencies must be a list"):
            read_python_env(path)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidProject, match=r"absent\.yaml cannot be read"):
            read_python_env(tmp_path / "absent.yaml")


class TestRequirementFiles:
    def test_files_include_files_relative_to_themselves(self, tmp_path: Path) -> None:
        (tmp_path / "deep").mkdir()
        written(
            tmp_path / "deep", more_txt="--requirement=last.txt\nscipy\n", last_txt="joblib\n", bounds_txt="numpy<3\n"
        )
        path = written(tmp_path, requirements_txt="numpy\n-r deep/more.txt\n-c deep/bounds.txt\n")
        assert read_requirements(path) == (("numpy", "joblib", "scipy"), ("numpy<3",))

    def test_what_a_constraint_file_includes_bounds_too(self, tmp_path: Path) -> None:
        path = written(tmp_path, a_txt="-c b.txt\n", b_txt="-r c.txt\n-c d.txt\n", c_txt="numpy<3\n", d_txt="six<2\n")
        assert read_requirements(path) == ((), ("numpy<3", "six<2"))

    @pytest.mark.parametrize("option", ["-r", "-r ", "--requirement ", "--requirement=", "--requirement= "])
    def test_each_spelling_of_the_option_works(self, tmp_path: Path, option: str) -> None:
        path = written(tmp_path, a_txt=f"{option}b.txt\n", b_txt="numpy\n")
        assert read_requirements(path) == (("numpy",), ())

    @pytest.mark.parametrize("option", ["-r", "-c"])
    def test_a_circle_is_refused(self, tmp_path: Path, option: str) -> None:
        path = written(tmp_path, a_txt=f"{option} b.txt\n", b_txt=f"{option} a.txt\n")
        with pytest.raises(InvalidProject, match="in a circle"):
            read_requirements(path)

    def test_a_missing_included_file_is_named_with_the_one_that_names_it(self, tmp_path: Path) -> None:
        path = written(tmp_path, a_txt="-r absent.txt\n")
        with pytest.raises(InvalidProject, match=r"a\.txt: the requirements file .*absent\.txt cannot be read"):
            read_requirements(path)

    def test_a_file_that_is_no_text_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_bytes(b"numpy\xff\n")
        with pytest.raises(InvalidProject, match="cannot be read"):
            read_requirements(tmp_path / "a.txt")

    def test_editors_marks_and_line_ends_do_not_matter(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfnumpy\r\nsix\r\n")
        assert read_requirements(tmp_path / "a.txt") == (("numpy", "six"), ())

    def test_an_address_keeps_its_fragment(self, tmp_path: Path) -> None:
        line = "pkg @ git+https://example.org/pkg.git#egg=pkg"
        assert read_requirements(written(tmp_path, a_txt=f"{line}\n")) == ((line,), ())

    @pytest.mark.parametrize(
        ("line", "becomes"),
        [
            ("./lib", "{0}/lib"),
            (".", "{0}"),
            (".[extra]", "{0}/.[extra]"),
            ("../lib", "{0}/../lib"),
            ("-e ./lib", "-e {0}/lib"),
            ("--editable=./lib", "--editable={0}/lib"),
            ("--find-links ./wheels", "--find-links {0}/wheels"),
            ("-f./wheels", "-f{0}/wheels"),
            ("/elsewhere/lib", "/elsewhere/lib"),
            ("numpy", "numpy"),
        ],
    )
    def test_paths_are_relative_to_the_file(self, tmp_path: Path, line: str, becomes: str) -> None:
        found = read_requirements(written(tmp_path, a_txt=f"{line}\n"))[0][0]
        expected = becomes.format(tmp_path)
        option = expected[: expected.index(str(tmp_path))] if str(tmp_path) in expected else ""
        assert found == option + (os.path.normpath(expected[len(option) :]) if "/" in expected else expected)


class TestName:
    @pytest.mark.parametrize(
        ("line", "name"),
        [
            ("numpy", "numpy"),
            ("Dovetail_SQL[a,b]>=0.1 ; python_version > '3'", "dovetail-sql"),
            ("zope.interface", "zope-interface"),
            ("pkg @ https://example.org/pkg.whl", "pkg"),
            ("-e ./lib", ""),
            ("./lib", ""),
            ("/lib", ""),
            ("--no-index", ""),
            ("https://example.org/pkg.whl", ""),
            ("git+https://example.org/pkg.git", ""),
            ("", ""),
        ],
    )
    def test_it_is_the_normalised_name_or_nothing(self, line: str, name: str) -> None:
        assert requirement_name(line) == name


LINES = st.lists(st.text(min_size=1, max_size=12), max_size=4).map(tuple)
SPECS = st.builds(EnvSpec, st.none() | st.text(max_size=6), LINES, LINES, LINES)


class TestKey:
    def test_it_is_the_same_in_every_process_and_release(self) -> None:
        spec = EnvSpec("3.11", ("numpy>=1.26",), ("pip",), ("six<2",), (LocalWheel("a", Path("/a.whl"), "00"),))
        assert spec.key == "c97187df6db2c0c34ba6"

    @given(one=SPECS, other=SPECS)
    def test_equal_content_and_only_that_has_equal_keys(self, one: EnvSpec, other: EnvSpec) -> None:
        assert (one.key == other.key) == (one == other)

    def test_where_it_was_read_from_does_not_count(self) -> None:
        assert EnvSpec(source="a").key == EnvSpec(source="b").key

    def test_where_a_wheel_lies_does_not_count_but_its_content(self) -> None:
        wheel = LocalWheel("a", Path("/one/a.whl"), "00")
        key = EnvSpec(wheels=(wheel,)).key
        assert EnvSpec(wheels=(replace(wheel, path=Path("/two/a.whl")),)).key == key
        assert EnvSpec(wheels=(replace(wheel, digest="01"),)).key != key

    def test_the_order_of_wheels_does_not_count(self) -> None:
        wheels = (LocalWheel("a", Path("a"), "00"), LocalWheel("b", Path("b"), "01"))
        assert EnvSpec(wheels=wheels).key == EnvSpec(wheels=wheels[::-1]).key

    def test_a_folder_of_code_counts_by_its_code(self, tmp_path: Path) -> None:
        def key(place: str, code: str, data: str = "") -> str:
            folder = tmp_path / place
            folder.mkdir(exist_ok=True)
            (folder / "pyproject.toml").write_text("[project]", encoding="utf-8")
            (folder / "code.py").write_text(code, encoding="utf-8")
            (folder / "results.csv").write_text(data, encoding="utf-8")
            return EnvSpec(dependencies=(f"{folder}[extra]",)).key

        assert key("one", "x = 1") == key("two", "x = 1", "1,2,3")
        assert key("one", "x = 2") != key("two", "x = 1")

    def test_a_folder_that_cannot_be_installed_is_not_walked(self) -> None:
        assert EnvSpec(dependencies=("/",)).key != EnvSpec(dependencies=("/tmp",)).key

    def test_extras_of_a_folder_count(self, tmp_path: Path) -> None:
        (tmp_path / "setup.py").touch()
        assert EnvSpec(dependencies=(f"{tmp_path}[a]",)).key != EnvSpec(dependencies=(f"{tmp_path}[b]",)).key


def test_more_requirements_come_last() -> None:
    assert EnvSpec(dependencies=("a",)).with_dependencies("b", "c").dependencies == ("a", "b", "c")
