"""`python -m minis2s`, and the script `minis2s`: the command line."""
import os
import signal
import sys


def main():
    """Import the command line and run it: -> exit status.

    Importing takes a moment; until the command line answers Ctrl-C itself, it ends the process at once with 130.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from .cli.main import main as command_line
    return command_line()


if __name__ == "__main__":
    sys.exit(main())
