"""Judging a file that a student wrote, in a process of its own.

Two processes.  The one you start (`process.py`) makes the inputs, knows the right answers, compares and reports;
no line of the student's code ever runs in it.  The other one (`worker.py`, started through `supervisor.py`) loads
the file, calls its function, and sends back arrays in a fixed format (`wire.py`) that is read with limits on size
and time.  So a submission cannot pass by replacing `np.exp`, `minis2s.check` or a result file: nothing it does to
its own process reaches the comparison.

What is not promised: this is no sandbox.  The code runs with the rights of whoever starts it.  On Linux the worker
also gives up the right to write outside of its own temporary folder and to see other processes, where the kernel
allows that (`guard.py`); elsewhere it does not.  Run strangers' work in a container:

    docker run --rm --network none --read-only --tmpfs /tmp -v "$PWD":/class -w /class IMAGE \
        minis2s class grade submissions --csv marks.csv --html report
"""
