"""Run as a script: become the given command, tied to the life of the process that asked for it.

``launch.py PARENT COMMAND…`` executes the command in place, after asking Linux to kill it the moment that the thread
which started it is gone, even by SIGKILL. Elsewhere the command merely runs.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before Linux was asked
            sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
