"""``python -m surefoot.simulator --port N``: the simulator until SIGTERM."""

import argparse

from surefoot.simulator.app import create_app
from surefoot.simulator.server import serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="surefoot.simulator", description="Models, back ends and sinks over HTTP.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    given = parser.parse_args()
    serve(create_app(), host=given.host, port=given.port)


if __name__ == "__main__":
    main()
