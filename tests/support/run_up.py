"""Run as a script: the embedded stack in the folder of the first argument, with as many workers as the second says."""

import asyncio
import sys
from pathlib import Path

from surefoot.embedded.up import up
from surefoot.errors import SurefootError


def main() -> None:
    folder, workers = Path(sys.argv[1]), int(sys.argv[2])
    try:
        asyncio.run(up(folder=folder, workers=workers))
    except SurefootError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
