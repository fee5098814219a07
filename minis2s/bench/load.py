"""How many cores other programs use while something is measured.

    with load:                      work of all processors, from /proc/stat: before and after
        load.own += ...             of which so many seconds were ours
    load.others()                   the rest, for each second of measuring
"""
import os
import time
from pathlib import Path

STAT = Path("/proc/stat")
IDLE = 3, 4                        # columns of its first line: idle, and waiting for a disk


def busy_seconds():
    """Seconds that all processors together have worked since the system began; None where nobody tells."""
    try:
        ticks = [int(word) for word in STAT.read_text().split("\n", 1)[0].split()[1:9]]
        return sum(t for column, t in enumerate(ticks) if column not in IDLE) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, AttributeError):
        return None


class Load:
    """Adds up over `with` blocks."""

    def __init__(self):
        self.own = self.wall = 0.0
        self.all = 0.0 if busy_seconds() is not None else None

    def __enter__(self):
        self.start, self.busy = time.perf_counter(), busy_seconds()
        return self

    def __exit__(self, *_):
        self.wall += time.perf_counter() - self.start
        if self.all is not None:
            self.all += busy_seconds() - self.busy

    def others(self):
        """Cores in use by others; None where the system does not tell, or nothing was measured."""
        if self.all is None or not self.wall:
            return None
        return max(0.0, (self.all - self.own) / self.wall)
