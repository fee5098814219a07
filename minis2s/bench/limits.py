"""The machine: its name, and how fast it could be."""
import platform
import time

import numpy as np

CHAINS, WIDTH, TIMES = 12, 16, 100_000         # of kernels/peak.py: one call is this many multiply-adds


def multiply_adds_of_peak(threads):
    """In one call of `make(threads)`."""
    return threads * CHAINS * WIDTH * TIMES


def make(threads):
    """-> a call that multiplies and adds on so many cores at once, and does nothing else."""
    from ..kernels.linalg.peak import chains
    xs = [np.full(WIDTH, 0.5, "float32") for _ in range(threads)]
    if threads == 1:
        return lambda: chains(xs[0], TIMES)
    from concurrent.futures import ThreadPoolExecutor
    pool = ThreadPoolExecutor(threads)
    return lambda: list(pool.map(chains, xs, [TIMES] * threads))


def peak(seconds=0.2):
    """Multiply-adds a second of one core in float32, the best of the calls in about so many seconds."""
    run, best = make(1), 0.0
    run()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        run()
        best = max(best, multiply_adds_of_peak(1) / (time.perf_counter() - start))
    return best


def machine():
    """One line: processor, cores, vector width."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as f:
            name = next(line.split(":")[1].strip() for line in f if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    from ..core import backends
    from ..kernels.linalg.tile import registers
    return (f"{name}, {backends.cores()} cores, vectors of {registers()[0]} bits, "
            f"Python {platform.python_version()}, NumPy {np.__version__}{others()}")


def others():
    """Versions of Numba and PyTorch where they are installed, without importing them."""
    from importlib.metadata import PackageNotFoundError, version
    told = ""
    for package, name in (("numba", "Numba"), ("torch", "PyTorch")):
        try:
            told += f", {name} {version(package)}"
        except PackageNotFoundError:
            pass
    return told
