from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dovetail.environments.spec import EnvSpec
from dovetail.environments.wheelhouse import bind, local_wheels, pinned
from dovetail.errors import EnvironmentFailed
from dovetail.testing.wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dovetail.environments.spec import LocalWheel

PACK = """
import sys
from pathlib import Path
from dovetail.environments.wheelhouse import local_wheels
for wheel in local_wheels(["dovetail-core"], Path(sys.argv[1])):
    print(wheel.path, wheel.digest)
"""


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "wheels"


def names(wheels: tuple[LocalWheel, ...]) -> list[str]:
    return [wheel.name for wheel in wheels]


def contents(wheel: LocalWheel) -> dict[str, str]:
    with zipfile.ZipFile(wheel.path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def install(site: Path, name: str, files: Mapping[str, str] | None = None, **fields: list[str]) -> Path:
    """Install a made-up distribution as pip does, from a wheel; answer its folder of metadata."""
    wheel = make_wheel(site.parent / "made", name, "0.1.0", files=files, **fields)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
        recorded = archive.namelist()
    info = site / f"{name.replace('-', '_')}-0.1.0.dist-info"
    (info / "INSTALLER").write_text("pip\n", encoding="utf-8")
    added = [f"{info.name}/INSTALLER", f"{name.replace('-', '_')}/__pycache__/x.cpython-311.pyc", "../../bin/program"]
    (info / "RECORD").write_text("".join(f"{path},,\n" for path in [*recorded, *added]), encoding="utf-8")
    return info


def install_editable(site: Path, name: str, root: Path, points: str = "", link: Path | None = None) -> Path:
    """Install the checkout in ``root`` as editable."""
    info = install(site, name, {})
    (info / "direct_url.json").write_text(
        json.dumps({"url": root.as_uri(), "dir_info": {"editable": True}}), encoding="utf-8"
    )
    (info / "entry_points.txt").write_text(points, encoding="utf-8")
    if link is not None:
        (site / f"_{name}.pth").write_text(f"import sys\n{link}\n", encoding="utf-8")
        with (info / "RECORD").open("a", encoding="utf-8") as record:
            record.write(f"_{name}.pth,,\n")
    return info


class TestWhatIsNeeded:
    @pytest.fixture(autouse=True)
    def _family(self, site: Path) -> None:
        install(site, "dovetail-fam-base")
        install(site, "dovetail-fam-one", requires=["dovetail-fam-base<1,>=0.1", "numpy"])
        install(
            site,
            "dovetail-fam",
            requires=[
                "dovetail_fam_one[fast]>=0.1",
                "dovetail-fam-x; extra == 'x'",
                'dovetail-fam-absent; extra == "all"',
                "dovetail-fam-y; python_version > '3' and extra == 'all'",
            ],
            extras=["x", "all"],
        )
        install(site, "dovetail-fam-x")
        install(site, "dovetail-fam-y", requires=["dovetail-fam"])

    def test_what_a_distribution_requires_comes_along(self, cache: Path) -> None:
        assert names(local_wheels(["dovetail-fam"], cache)) == ["dovetail-fam", "dovetail-fam-base", "dovetail-fam-one"]

    def test_extras_bring_theirs(self, cache: Path) -> None:
        wheels = local_wheels(["Dovetail.Fam[X,all]>=0.1 ; python_version > '3'"], cache)
        assert names(wheels) == [f"dovetail-fam{end}" for end in ("", "-base", "-one", "-x", "-y")]

    def test_what_is_not_installed_is_left_out(self, cache: Path) -> None:
        assert local_wheels(["dovetail-fam-absent", "numpy", ""], cache) == ()


class TestPacking:
    def test_an_installed_distribution_is_packed_as_it_was_recorded(self, site: Path, cache: Path) -> None:
        files = {
            "dovetail_fam/__init__.py": "X = 1\n",
            "dovetail_fam/data.sql": "select 1",
            "dovetail_fam/py.typed": "",
        }
        install(site, "dovetail-fam", files)
        (site / "dovetail_fam" / "left_over.py").write_text("", encoding="utf-8")  # recorded by nobody
        (wheel,) = local_wheels(["dovetail-fam"], cache)
        assert wheel.path.name == "dovetail_fam-0.1.0-py3-none-any.whl"
        info = "dovetail_fam-0.1.0.dist-info"
        assert list(contents(wheel)) == [*sorted(files), f"{info}/METADATA", f"{info}/WHEEL", f"{info}/RECORD"]
        assert contents(wheel)["dovetail_fam/data.sql"] == "select 1"

    def test_an_editable_one_is_packed_from_where_it_is_edited(self, site: Path, tmp_path: Path, cache: Path) -> None:
        root = tmp_path / "checkout"
        for path in ("__init__.py", "sql/make.sql", "py.typed", "tests/test_x.py", "__pycache__/x.pyc", ".hidden"):
            (root / "src" / "dovetail_fam" / path).parent.mkdir(parents=True, exist_ok=True)
            (root / "src" / "dovetail_fam" / path).write_text("", encoding="utf-8")
        install_editable(site, "dovetail-fam", root, "[dovetail.flavors]\nfam = dovetail_fam\n", link=root / "src")
        (wheel,) = local_wheels(["dovetail-fam"], cache)
        info = "dovetail_fam-0.1.0.dist-info"
        packed = [f"dovetail_fam/{name}" for name in ("__init__.py", "py.typed", "sql/make.sql")]
        about = [f"{info}/{name}" for name in ("METADATA", "WHEEL", "entry_points.txt", "RECORD")]
        assert list(contents(wheel)) == [*packed, *about]
        assert "fam = dovetail_fam" in contents(wheel)[f"{info}/entry_points.txt"]

    def test_an_edit_changes_the_digest(self, site: Path, tmp_path: Path, cache: Path) -> None:
        root = tmp_path / "checkout"
        root.mkdir()
        install_editable(site, "dovetail-fam", root)
        digests = set()
        for text in ("X = 1", "X = 2", "X = 1"):
            (root / "dovetail_fam.py").write_text(text, encoding="utf-8")
            digests.add(local_wheels(["dovetail-fam"], cache)[0].digest)
        assert len(digests) == 2
        assert len(list(cache.iterdir())) == 2

    def test_one_that_only_names_others_is_nothing_but_metadata(self, site: Path, tmp_path: Path, cache: Path) -> None:
        (tmp_path / "checkout" / "dovetail_fam_other").mkdir(parents=True)
        install_editable(site, "dovetail-fam", tmp_path / "checkout")
        (wheel,) = local_wheels(["dovetail-fam"], cache)
        assert [path for path in contents(wheel) if ".dist-info/" not in path] == []

    def test_tags_stay_those_of_the_installed_one(self, site: Path, cache: Path) -> None:
        info = install(site, "dovetail-fam")
        text = "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp311-abi3-linux_x86_64\nTag: cp311-abi3-any\n"
        (info / "WHEEL").write_text(text, encoding="utf-8")
        (wheel,) = local_wheels(["dovetail-fam"], cache)
        assert wheel.path.name == "dovetail_fam-0.1.0-cp311-abi3-any.linux_x86_64.whl"
        assert "Root-Is-Purelib: false" in contents(wheel)[f"{info.name}/WHEEL"]

    def test_a_file_that_is_gone_is_named(self, site: Path, cache: Path) -> None:
        install(site, "dovetail-fam")
        (site / "dovetail_fam.py").unlink()
        with pytest.raises(EnvironmentFailed, match=r"dovetail-fam 0\.1\.0 .*dovetail_fam\.py cannot be read"):
            local_wheels(["dovetail-fam"], cache)

    def test_a_checkout_that_is_gone_is_named(self, site: Path, tmp_path: Path, cache: Path) -> None:
        install_editable(site, "dovetail-fam", tmp_path / "gone", "[dovetail.flavors]\nfam = dovetail_fam.deep:x\n")
        with pytest.raises(EnvironmentFailed, match=r"package dovetail_fam is in none of .*gone"):
            local_wheels(["dovetail-fam"], cache)

    def test_one_without_a_record_is_packed_by_its_packages(self, site: Path, cache: Path) -> None:
        info = install(site, "dovetail-fam", {"dovetail_fam/__init__.py": ""})
        (info / "RECORD").unlink()
        (wheel,) = local_wheels(["dovetail-fam"], cache)
        assert "dovetail_fam/__init__.py" in contents(wheel)


class TestTheCache:
    def test_equal_content_is_one_file(self, site: Path, cache: Path) -> None:
        install(site, "dovetail-fam")
        first, second = (local_wheels(["dovetail-fam"], cache)[0] for _ in range(2))
        assert first == second
        assert [path for path in cache.rglob("*") if path.is_file()] == [first.path]

    def test_processes_at_once_agree(self, cache: Path) -> None:
        command = [sys.executable, "-c", PACK, str(cache)]
        running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
        said = {process.communicate(timeout=60)[0] for process in running}
        assert [process.returncode for process in running] == [0] * 4
        assert len(said) == 1
        assert len([path for path in cache.rglob("*") if path.is_file()]) == 1

    def test_what_was_cut_short_is_not_taken_for_a_wheel(self, site: Path, cache: Path) -> None:
        install(site, "dovetail-fam")
        (wheel,) = local_wheels(["dovetail-fam"], cache)
        wheel.path.write_bytes(b"PK")
        (again,) = local_wheels(["dovetail-fam"], cache)
        assert zipfile.is_zipfile(again.path)


class TestInstalling:
    @pytest.fixture
    def fresh(self, tmp_path: Path) -> Path:
        """The Python of a fresh environment with pip."""
        subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True)
        return tmp_path / "env" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")

    def test_pip_installs_what_runs_here(self, fresh: Path, cache: Path) -> None:
        wheels = local_wheels(["dovetail-core"], cache)
        options = ["--no-index", "--no-deps", "--disable-pip-version-check"]
        subprocess.run([fresh, "-m", "pip", "install", "-q", *options, *(wheel.path for wheel in wheels)], check=True)
        source = (
            "import dovetail, importlib.metadata as m; print(dovetail.__file__);"
            "d = m.distribution('dovetail-core'); print(d.version); print(all(f.locate().exists() for f in d.files))"
        )
        done = subprocess.run([fresh, "-c", source], capture_output=True, text=True, check=True, cwd=cache)
        place, installed, whole = done.stdout.split()
        assert Path(place).is_relative_to(fresh.parents[1])
        assert (installed, whole) == (version("dovetail-core"), "True")


class TestBind:
    @pytest.fixture(autouse=True)
    def _family(self, site: Path) -> None:
        install(site, "dovetail-fam", requires=["dovetail-fam-base"])
        install(site, "dovetail-fam-base")

    def test_wheels_are_attached_for_what_is_named(self) -> None:
        spec = bind(EnvSpec(dependencies=("numpy", "dovetail-fam>=0.1")))
        assert names(spec.wheels) == ["dovetail-fam", "dovetail-fam-base"]
        assert all(wheel.path.is_file() for wheel in spec.wheels)

    def test_a_spec_that_names_nothing_of_ours_stays_as_it_is(self) -> None:
        spec = EnvSpec(dependencies=("numpy", "dovetailing", "-r", "./dovetail"))
        assert bind(spec) is spec

    def test_what_is_not_installed_here_is_left_to_the_index(self) -> None:
        spec = EnvSpec(dependencies=("dovetail-not-here",))
        assert bind(spec) is spec

    def test_an_address_that_the_spec_names_counts(self) -> None:
        address = "dovetail-fam-base @ https://example.org/x.whl"
        assert names(bind(EnvSpec(dependencies=("dovetail-fam", address))).wheels) == ["dovetail-fam"]
        assert bind(EnvSpec(dependencies=(address,))).wheels == ()


class TestPinned:
    def test_lines_ask_for_the_wheel_with_their_extras_and_markers(self, tmp_path: Path) -> None:
        from dovetail.testing.wheels import local_wheel

        wheel = local_wheel(make_wheel(tmp_path, "dovetail-fam"))
        lines = (
            "numpy>=1",
            "dovetail_fam[a, b]==0.9 ; python_version > '3' --hash=sha256:00",
            "dovetail-fam --hash=sha256:00",
        )
        spec = pinned(EnvSpec(dependencies=lines, constraints=("dovetail-fam<1", "six<2"), wheels=(wheel,)))
        address = wheel.path.as_uri()
        assert spec.dependencies == (
            "numpy>=1",
            f"dovetail_fam[a, b] @ {address} ; python_version > '3'",
            f"dovetail-fam @ {address}",
        )
        assert spec.constraints == ("six<2", f"dovetail-fam @ {address}")

    def test_without_wheels_nothing_changes(self) -> None:
        spec = EnvSpec(dependencies=("dovetail-fam==1",), constraints=("six<2",))
        assert pinned(spec) == spec
