"""What programs import from the package itself."""

import subprocess
import sys

import pytest

import surefoot
from surefoot.errors import RunFailed


def test_every_public_name_is_there_and_is_the_one_of_its_home() -> None:
    for name in surefoot.__all__:
        assert getattr(surefoot, name).__name__ == name
    assert surefoot.RunFailed is RunFailed


def test_a_name_that_is_not_public_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Manager'"):
        surefoot.__getattr__("Manager")


def test_importing_the_package_alone_loads_none_of_its_libraries() -> None:
    check = "import sys, surefoot; sys.exit(bool({'temporalio', 'pydantic', 'redis', 'httpx2'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
