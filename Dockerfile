# The worker and the command line. Python's patch release is pinned, and every package by its hash.
FROM python:3.12.13-slim-bookworm AS packages

COPY requirements-runtime.txt /tmp/
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary :all: \
        --require-hashes --requirement /tmp/requirements-runtime.txt

FROM python:3.12.13-slim-bookworm

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY worker.py starter.py ./
COPY surefoot ./surefoot
COPY workflows ./workflows
COPY activities ./activities
COPY agents ./agents

# A number, so that a cluster can see that it is not root's. Nothing in /app is writable for it.
USER 10001:10001

# Python is process 1 and handles it: the worker finishes what it has begun, then ends.
STOPSIGNAL SIGTERM
CMD ["python", "worker.py"]
