"""The machine: its name, and how fast it could be."""
import platform
import time

import numpy as np

CHAINS, WIDTH, TIMES = 12, 16, 100_000         # of kernels/linalg/peak.py: the shortest call is this many multiply-adds


def calls_of_peak(seconds):
    """How many of the shortest calls take about so long on a core of 64 billion multiply-adds a second; at least 1.

    The peak must be measured as long as what is compared with it: a short call is never interrupted, a long one is.
    """
    return max(1, round(seconds * 64e9 / (CHAINS * WIDTH * TIMES)))


def multiply_adds_of_peak(threads, seconds=0.0):
    """In one call of `make(threads, seconds)`."""
    return threads * CHAINS * WIDTH * TIMES * calls_of_peak(seconds)


def make(threads, seconds=0.0):
    """-> a call of about so many seconds that multiplies and adds on so many cores at once, and does nothing else."""
    from ..kernels.linalg.peak import chains
    xs, times = [np.full(WIDTH, 0.5, "float32") for _ in range(threads)], TIMES * calls_of_peak(seconds)
    if threads == 1:
        return lambda: chains(xs[0], times)
    from concurrent.futures import ThreadPoolExecutor
    pool = ThreadPoolExecutor(threads)
    return lambda: list(pool.map(chains, xs, [times] * threads))


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
    """One line: processor, cores, cache, vector width, versions."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as f:
            name = next(line.split(":")[1].strip() for line in f if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    from ..core import backend
    from ..kernels.linalg.tile import registers
    from ..kernels.runtime.processor import cache_size
    cache = cache_size(2)
    text = f"{cache / (1 << 20):g} MB of L2, " if cache else ""
    return (f"{name}, {backend.cores()} cores, {text}vectors of {registers()[0]} bits, "
            f"Python {platform.python_version()}, NumPy {np.__version__}{others()}")


def others():
    """Versions of Numba and PyTorch where they are installed, without importing them."""
    from importlib.metadata import PackageNotFoundError, version
    text = ""
    for package, name in (("numba", "Numba"), ("torch", "PyTorch")):
        try:
            text += f", {name} {version(package)}"
        except PackageNotFoundError:
            pass
    return text
