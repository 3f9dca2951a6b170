"""A process that ends as it is told: `python -m tests.support.faulty_process HOW`."""

import os
import signal
import sys
import time

if __name__ == "__main__":
    if sys.argv[1] == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif sys.argv[1] == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif sys.argv[1] == "hang":
        time.sleep(60)
    elif sys.argv[1] == "raise":
        raise ValueError("no such signature")
