"""The benchmark of paging: it measures what it says."""

from benchmarks.paging import measure


async def test_every_opening_of_a_breaker_is_timed_to_its_incident_and_to_its_page() -> None:
    _, (page, incident, slowest) = await measure(openings=2)
    assert page.limit == 1
    assert page.name == "breaker open to page taken, 2 openings"
    assert 0 < incident.value < page.value <= slowest.value
