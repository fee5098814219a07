"""The command line as a process of its own: started, waited for, stopped."""
import subprocess
import sys
import time

PAIRS = [("ab", "ba"), ("bc", "cb"), ("ca", "ac"), ("abc", "cba"), ("d", "d"), ("add", "dda")]
SMALL = ["--hidden", "16", "--embedding", "8", "--batch", "2", "--seed", "3"]
RESTLESS = [*SMALL, "--epochs", "12", "--dropout", "0.2", "--teacher-forcing", "0.9", "--teacher-final",
            "0.3",
            "--optimizer", "rmsprop", "--evaluate-every", "2"]

# the command line, saving after every step, without pictures
QUICK_SAVER = """
import sys
from minis2s import Seq2Seq
from minis2s.cli import main as cli
from minis2s.training import loop as train
run, Seq2Seq._draw = train.run, lambda *_: None
train.run = lambda *a, **k: run(*a, **k, save_seconds=0)
sys.exit(cli.main())
"""

# The same, which sends itself a signal after a step: a test that waits for that step may come too late.  Jobs of the
# background are started with Ctrl-C ignored, and so would be what tests start there.
SIGNALLED = """
import os, signal
from minis2s.training import loop
signal.signal(signal.SIGINT, signal.default_int_handler)
loop_run = loop.run
def signalled(*a, on_step, **k):
    def step(progress, loss):
        if progress.step == {step}:
            os.kill(os.getpid(), {number})
        on_step(progress, loss)
    return loop_run(*a, on_step=step, **k)
loop.run = signalled
""" + QUICK_SAVER


def start(*argv, script=QUICK_SAVER, **options):
    return subprocess.Popen([sys.executable, "-c", script, *map(str, argv)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, **options)


def done(process):
    """-> exit status, standard output, standard error"""
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in err, err
    return process.returncode, out, err


def wait_for(process, ready):
    while process.poll() is None and not ready():
        time.sleep(0.005)
    assert process.poll() is None, "it ended before it could be stopped"


def module(*argv, **options):
    return subprocess.run([sys.executable, "-m", "minis2s", *map(str, argv)], capture_output=True, **options)
