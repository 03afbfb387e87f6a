"""The tool, an activity."""

from temporalio import activity

from benchmarks import workloads


@activity.defn(name=workloads.TOOL)
async def read_page(page: int, size: int) -> str:
    """Read a page, cut to so many bytes."""
    return workloads.page(page, size)
