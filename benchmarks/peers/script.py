"""What the model of every peer asks for, which is what the model of every variant asks for."""

from benchmarks.workloads import Workload, named


def asked_next(workload: str, read: int) -> list[dict[str, int]]:
    """The arguments of the calls that the model makes when it has read so many pages; none: it answers."""
    work = named(workload)
    return [{"page": number, "size": work.size} for number in work.pages(_turn(work, read))]


def _turn(work: Workload, read: int) -> int:
    """The turn before which so many pages were asked for, the first being 0."""
    return next(turn for turn in range(work.turns) if sum(work.calls[:turn]) >= read)
