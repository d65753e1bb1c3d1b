"""`heed` in a process of its own that ends itself with SIGKILL at the n-th step that reaches the disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_CHILD = """
import os, pathlib, signal, sys
left, verb = int(sys.argv[1]), sys.argv[3:]
taken = 0
def counting(does):
    def step(*given, **named):
        global taken
        taken += 1
        if taken == left:
            os.kill(os.getpid(), signal.SIGKILL)
        return does(*given, **named)
    return step
os.fsync = counting(os.fsync)
pathlib.Path.replace = counting(pathlib.Path.replace)
pathlib.Path.unlink = counting(pathlib.Path.unlink)
from pipelines.cli import main
code = main(["-C", sys.argv[2], *verb])
print("steps", taken)
sys.exit(code)
"""
_NEVER = 1_000_000


def steps_of(home: Path, *verb: str) -> int:
    """How many steps reach the disk when nothing happens; the command must succeed."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(_NEVER), str(home), *verb], capture_output=True, text=True, check=True
    )
    return int(done.stdout.split()[-1])


def kill_at(step: int, home: Path, *verb: str) -> bool:
    """Run the command and kill it before that step; whether it was killed."""
    done = subprocess.run([sys.executable, "-c", _CHILD, str(step), str(home), *verb], capture_output=True)
    return done.returncode == -9
