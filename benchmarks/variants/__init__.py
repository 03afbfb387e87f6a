"""What is compared: one worker program each, so that in the one process that starts the runs nothing differs.

``python -m benchmarks.variants.NAME --address HOST:PORT --queue NAME`` serves a task queue, prints ``ready`` once it
polls, and ends well on SIGTERM. But for ``surefoot`` and its likes, the workflow's type is ``Bench``, its argument a
workload's name, and its result the answer.
"""
