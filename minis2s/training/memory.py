"""Keep freed memory for the next step of training.

A step's arrays live until its gradient is there, and the next step needs as much again.  The C library of
Linux gives large pieces back to the system when they are freed; then the system clears every page when it is
first touched again, which took a fifth of a training step.  So, when training starts, the library is asked to keep
them: up to GIGABYTE.  On other systems nothing is done.
"""
import ctypes
import sys

GIGABYTE, OLDEST = 1 << 30, 1 << 25              # older C libraries refuse more than the second as a threshold
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3          # names of <malloc.h>


def keep_freed_memory() -> None:
    """Ask glibc to reuse freed memory; does nothing where there is no glibc."""
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt:
            mallopt(TRIM_THRESHOLD, GIGABYTE)
            mallopt(MMAP_THRESHOLD, GIGABYTE) or mallopt(MMAP_THRESHOLD, OLDEST)
