"""Reading projects, well-formed and broken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dovetail.errors import InvalidProject
from dovetail.projects.project import EntryPoint, Parameter, Project

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = """
name: My Project
python_env: python_env.yaml
entry_points:
  main:
    parameters:
      data_file: path
      regularization: {type: float, default: 0.1}
    command: "python train.py -r {regularization} {data_file}"
  validate:
    parameters:
      data_file: path
    command: "python validate.py {data_file}"
"""


def test_a_project_file_says_name_environment_and_entry_points(folder: Any) -> None:
    project = Project.read(folder({"MLproject": EXAMPLE, "python_env.yaml": "dependencies: [scikit-learn==1.0.2]"}))
    assert project.name == "My Project"
    assert project.environment == "python_env"
    assert project.env_spec().dependencies == ("scikit-learn==1.0.2",)
    assert list(project.entry_points) == ["main", "validate"]
    assert project.entry_point("main") == EntryPoint(
        "main",
        "python train.py -r {regularization} {data_file}",
        {"data_file": Parameter("data_file", "path"), "regularization": Parameter("regularization", "float", "0.1")},
    )


@pytest.mark.parametrize("name", ["MLproject", "MLProject", "mlproject", "MLPROJECT"])
def test_the_files_name_may_be_written_in_any_case(folder: Any, name: str) -> None:
    assert Project.read(folder({name: "name: found"})).name == "found"


def test_two_files_that_differ_in_case_are_one_too_many(folder: Any) -> None:
    place = folder({"MLproject": "name: a", "MLProject": "name: b"})
    if len(list(place.iterdir())) == 1:
        pytest.skip("this file system does not tell them apart")
    with pytest.raises(InvalidProject, match="MLProject and MLproject"):
        Project.read(place)


def test_a_folder_that_is_called_like_a_project_file_is_none(folder: Any) -> None:
    assert Project.read(folder({"MLproject/readme.txt": ""})).name == "project"


@pytest.mark.parametrize("content", ["", "# nothing yet\n", "name:\n", "entry_points:\n", "entry_points: {}\n"])
def test_an_empty_file_is_a_project_of_its_folders_name(folder: Any, content: Any) -> None:
    project = Project.read(folder({"MLproject": content, "go.sh": ""}))
    assert (project.name, project.environment) == ("project", None)
    assert project.entry_point("go.sh").command == "bash go.sh"


def test_a_name_may_be_a_number(folder: Any) -> None:
    assert Project.read(folder({"MLproject": "name: 2024"})).name == "2024"


@pytest.mark.parametrize(
    "spelling",
    [
        "parameters: {alpha: {type: float, default: 0.5}}",
        "parameters:\n      alpha: {type: float, default: 0.5}",
        "parameters:\n      alpha:\n        type: float\n        default: 0.5",
    ],
    ids=["flow", "short", "long"],
)
def test_every_spelling_of_a_default_means_the_same(folder: Any, spelling: str) -> None:
    text = f"entry_points:\n  main:\n    {spelling}\n    command: echo {{alpha}}\n"
    entry = Project.read(folder({"MLproject": text})).entry_point("main")
    assert entry.parameters == {"alpha": Parameter("alpha", "float", "0.5")}


@pytest.mark.parametrize(
    ("written", "default"),
    [("0", "0"), ("false", "False"), ('""', ""), ("0.0", "0.0"), ("1e-5", "1e-5"), ("'007'", "007"), ("null", None)],
)
def test_defaults_that_count_as_nothing_are_defaults_all_the_same(
    folder: Any, written: str, default: str | None
) -> None:
    text = f"entry_points: {{main: {{parameters: {{x: {{type: string, default: {written}}}}}, command: 'echo {{x}}'}}}}"
    assert Project.read(folder({"MLproject": text})).entry_point("main").parameters["x"].default == default


def test_a_parameter_without_a_type_is_text(folder: Any) -> None:
    text = "entry_points: {main: {parameters: {x: {default: 1}}, command: 'echo {x}'}}"
    assert Project.read(folder({"MLproject": text})).entry_point("main").parameters["x"].kind == "string"


@pytest.mark.parametrize("content", ["parameters:", "parameters: {}"])
def test_parameters_may_be_empty(folder: Any, content: Any) -> None:
    text = f"entry_points:\n  main:\n    {content}\n    command: echo hi\n"
    assert Project.read(folder({"MLproject": text})).entry_point("main").parameters == {}


def test_what_other_tools_keep_in_the_file_is_left_alone_and_named(folder: Any) -> None:
    text = "maintainer: me\nentry_points: {main: {command: 'true', parameters: {x: {type: boolean, default: yes}}}}"
    with pytest.warns(UserWarning, match="maintainer|boolean") as said:
        project = Project.read(folder({"MLproject": text}))
    assert len(said) == 2
    assert project.entry_point("main").parameters["x"] == Parameter("x", "string", "True")


BROKEN = {
    "a list": ("- name", "line 1", "expected `key: value`"),
    "a text": ("just words", "line 1", "expected `key: value`"),
    "an open bracket": ("name: a\nentry_points: {main", "line ", "is not valid YAML"),
    "a format": ('entry_points: {main: {parameters: {a: string}, command: "x {a:>9999999999}"}}', "'main'", "a format"),
    "a conversion": ('entry_points: {main: {parameters: {a: string}, command: "x {a!z}"}}', "'main'", "a format"),
    "a NUL": ('entry_points: {main: {command: "a\\0b"}}', "'main'", "NUL"),
    "a tab": ("name: a\nentry_points:\n\tmain: x", "line 3", "spaces"),
    "a doubled key": ("name: a\nname: b", "line 2", "stands twice"),
    "a doubled entry point": ("entry_points:\n  main: {command: a}\n  main: {command: b}", "line 3", "stands twice"),
    "an object of Python": ("name: !!python/object/apply:os.system ['true']", "line 1", "is not valid YAML"),
    "no text at all": (b"\xff\xfe\x00\x00name", "", "is not valid YAML"),
    "a name that is none": ("name: [a]", "", "name must be text"),
    "a misspelt key": ("entrypoints: {}", "", "Did you mean 'entry_points'?"),
    "a misspelt environment": ("python-env: x", "", "Did you mean 'python_env'?"),
    "two environments": ("python_env: a\nconda_env: b", "", "names python_env and conda_env"),
    "conda and docker": ("conda_env: a\ndocker_env: {image: b}", "", "names conda_env and docker_env"),
    "an environment file that is missing": ("python_env: no.yaml", "", "no.yaml, which is no file"),
    "an environment file elsewhere": ("python_env: ../x.yaml", "", "path of a file in the project"),
    "an environment file at the root": ("conda_env: /etc/passwd", "", "path of a file in the project"),
    "an environment that is a list": ("python_env: [a]", "", "path of a file in the project"),
    "an environment file with a NUL": ('python_env: "a\\0b"', "", "path of a file in the project"),
    "docker without an image": ("docker_env: {volumes: []}", "", "docker_env must be a mapping with an image"),
    "docker as text": ("docker_env: image", "", "docker_env must be a mapping with an image"),
    "entry points as a list": ("entry_points: [main]", "", "entry_points must be a mapping"),
    "an entry point as text": ("entry_points: {main: python x.py}", "'main'", "has no command"),
    "an entry point without a command": ("entry_points: {main: {parameters: {}}}", "'main'", "has no command"),
    "an empty command": ("entry_points: {main: {command: ' '}}", "'main'", "has no command"),
    "a command that is a list": ("entry_points: {main: {command: [a, b]}}", "'main'", "has no command"),
    "a misspelt command": ("entry_points: {main: {command: a, paramters: {}}}", "'main'", "Did you mean 'parameters'?"),
    "parameters as a list": (
        "entry_points: {main: {command: a, parameters: [x]}}",
        "'main'",
        "parameters must be a mapping",
    ),
    "parameters that are false": (
        "entry_points: {main: {command: a, parameters: false}}",
        "'main'",
        "parameters must be a mapping",
    ),
    "a misspelt type": (
        "entry_points: {main: {command: a, parameters: {x: flaot}}}",
        "parameter 'x'",
        "Did you mean 'float'?",
    ),
    "a type that is a number": (
        "entry_points: {main: {command: a, parameters: {x: {type: 3}}}}",
        "'x'",
        "has the type 3",
    ),
    "a parameter that is a number": ("entry_points: {main: {command: a, parameters: {x: 3}}}", "'x'", "must be a type"),
    "a parameter that is empty": ("entry_points: {main: {command: a, parameters: {x: }}}", "'x'", "must be a type"),
    "a default that is a list": (
        "entry_points: {main: {command: a, parameters: {x: {type: string, default: [1]}}}}",
        "'x'",
        "must be a single value",
    ),
    "a parameter's name that is none": (
        "entry_points: {main: {command: a, parameters: {'a b': string}}}",
        "'a b'",
        "a parameter name is",
    ),
    "a name that is not declared": ("entry_points: {main: {command: 'a {x}'}}", "'main'", "no declared parameter"),
    "a field without a name": ("entry_points: {main: {command: 'a {}'}}", "'main'", "no declared parameter"),
    "a field that reaches into a value": (
        "entry_points: {main: {command: 'a {x.__class__}', parameters: {x: string}}}",
        "'main'",
        "no declared parameter",
    ),
    "a field with an index": (
        "entry_points: {main: {command: 'a {x[0]}', parameters: {x: string}}}",
        "'main'",
        "no declared parameter",
    ),
    "braces in braces": (
        "entry_points: {main: {command: 'a {x:{x}}', parameters: {x: string}}}",
        "'main'",
        "cannot be read",
    ),
    "a format that is none for text": (
        "entry_points: {main: {command: 'a {x:.3f}', parameters: {x: string}}}",
        "'main'",
        "cannot be read",
    ),
    "a brace that is open": ("entry_points: {main: {command: 'a {'}}", "'main'", "Write {{ and }}"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_one_error_with_place_and_what_was_expected(folder: Any, case: str) -> None:
    content, place, expected = BROKEN[case]
    path = folder({"MLproject": content}) / "MLproject"
    with pytest.raises(InvalidProject) as caught:
        Project.read(path.parent)
    assert str(path) in caught.value.message
    assert place in caught.value.message
    assert expected in str(caught.value)
    assert caught.value.hint or "expected" in caught.value.message, "it says what to do"
    assert "\n" not in caught.value.message


def test_a_folder_that_is_missing_is_no_project(tmp_path: Path) -> None:
    with pytest.raises(InvalidProject, match="is no folder"):
        Project.read(tmp_path / "nowhere")


def test_without_a_project_file_every_script_is_an_entry_point(folder: Any) -> None:
    project = Project.read(folder({"train.py": "", "src/test it.py": "", "go.sh": "", "data.csv": ""}))
    assert (project.name, project.environment, project.entry_points) == ("project", None, {})
    assert project.entry_point("train.py") == EntryPoint("train.py", "python train.py")
    assert project.entry_point("src/test it.py").command == "python 'src/test it.py'"
    assert project.entry_point("go.sh").command == "bash go.sh"
    for name in ("data.csv", "main", "nothing.py", "src", ".", "", "a\x00.py", "x" * 5000 + ".py"):
        with pytest.raises(InvalidProject, match="no entry point"):
            project.entry_point(name)


def test_scripts_are_entry_points_beside_declared_ones(folder: Any) -> None:
    project = Project.read(folder({"MLproject": "entry_points: {main: {command: echo}}", "extra.py": ""}))
    assert project.entry_point("extra.py").command == "python extra.py"


def test_a_declared_entry_point_wins_over_a_file_of_its_name(folder: Any) -> None:
    project = Project.read(folder({"MLproject": "entry_points: {a.py: {command: echo own}}", "a.py": ""}))
    assert project.entry_point("a.py").command == "echo own"


def test_files_outside_of_the_folder_are_no_entry_points(folder: Any) -> None:
    place = folder({"inside.py": ""})
    (place.parent / "outside.py").write_text("")
    (place / "link.py").symlink_to(place.parent / "outside.py")
    project = Project.read(place)
    for name in ("../outside.py", "link.py", str(place.parent / "outside.py"), "sub/../../outside.py"):
        with pytest.raises(InvalidProject, match="no entry point"):
            project.entry_point(name)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("-c.py", "python ./-c.py"),
        ("a;b.py", "python 'a;b.py'"),
        ("$(x).py", "python '$(x).py'"),
        ("{x}.py", "python '{{x}}.py'"),
    ],
)
def test_a_file_is_run_whatever_its_name(folder: Any, name: str, command: str) -> None:
    assert Project.read(folder({name: ""})).entry_point(name).command == command


def test_a_misspelt_entry_point_is_answered_with_those_there_are(folder: Any) -> None:
    project = Project.read(
        folder({"MLproject": "entry_points: {main: {command: a}, validate: {command: b}}", "x.py": ""})
    )
    with pytest.raises(InvalidProject) as caught:
        project.entry_point("mian")
    assert "Did you mean 'main'?" in caught.value.message
    assert caught.value.hint == "It has: main, validate, x.py; choose one with -e main."


def test_a_conda_file_lying_there_is_the_environment(folder: Any) -> None:
    project = Project.read(folder({"conda.yaml": "dependencies: [python=3.11, pip, {pip: [pandas>=2]}]"}))
    assert project.environment == "conda_env"
    assert project.env_spec().dependencies == ("pandas>=2",)
    assert project.env_spec().python == "3.11"


def test_so_is_a_python_env_file_and_it_comes_first(folder: Any) -> None:
    project = Project.read(folder({"conda.yaml": "dependencies: []", "python_env.yaml": "dependencies: [a]"}))
    assert (project.environment, project.env_spec().dependencies) == ("python_env", ("a",))


def test_an_environment_file_may_lie_deeper(folder: Any) -> None:
    files = {"MLproject": "python_env: files/config/env.yaml", "files/config/env.yaml": "dependencies: [b]"}
    assert Project.read(folder(files)).env_spec().dependencies == ("b",)


def test_an_environment_file_may_not_be_a_link_out_of_the_folder(folder: Any, tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("dependencies: []")
    place = folder({"MLproject": "python_env: env.yaml"})
    (place / "env.yaml").symlink_to(tmp_path / "secret.yaml")
    with pytest.raises(InvalidProject, match="path of a file in the project"):
        Project.read(place)


def test_what_stands_below_docker_env_is_kept(folder: Any) -> None:
    text = 'docker_env: {image: "a:1", volumes: ["/x:/y"], environment: [["A", "b"], "HOME"]}'
    project = Project.read(folder({"MLproject": text}))
    assert project.environment == "docker_env"
    assert project.container == {"image": "a:1", "volumes": ["/x:/y"], "environment": [["A", "b"], "HOME"]}
