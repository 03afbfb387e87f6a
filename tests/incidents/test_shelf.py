"""Files of incidents have safe names, and are whole or not there."""

from pathlib import Path

import pytest

from surefoot.incidents.shelf import Shelf, file_name

IDS = ["incident-run_failed:acme:run%3Aacme%3Ak:e", "../../etc/passwd", "a/b", "日" * 600, "\x00", "", ".", "x" * 5000]


@pytest.mark.parametrize("id", IDS)
def test_whatever_an_incident_is_called_its_files_stay_in_the_folder(id: str, tmp_path: Path) -> None:
    Shelf(tmp_path / "shelf").keep(id, {"record": "words"})
    (kept,) = tmp_path.rglob("*.md")
    assert kept.parent == tmp_path / "shelf"
    assert len(kept.name) < 120
    assert kept.name.isascii()
    assert kept.read_text() == "words"


def test_no_two_incidents_share_a_file() -> None:
    assert len({file_name(id, "record") for id in ["a/b", "a_b", "a:b", "a\x00b"]}) == 4


def test_a_file_is_replaced_as_a_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.keep("i", {"runbook": "first " * 10_000, "record": "one"})
    shelf.keep("i", {"runbook": "second"})
    assert sorted(file.read_text() for file in tmp_path.iterdir()) == ["one", "second"]


def test_half_a_character_is_replaced_and_keeps_nothing_from_being_written(tmp_path: Path) -> None:
    Shelf(tmp_path).keep("i", {"record": "a\ud800b"})
    assert (tmp_path / file_name("i", "record")).read_text() == "a?b"


def test_a_place_that_cannot_be_written_is_an_error_that_leaves_no_part(tmp_path: Path) -> None:
    blocked = tmp_path / file_name("i", "record")
    blocked.mkdir()
    with pytest.raises(OSError, match="directory"):
        Shelf(tmp_path).keep("i", {"record": "words"})
    assert list(tmp_path.iterdir()) == [blocked]
