"""Runs a command that the kernel kills (SIGSYS) when it reaches for anybody, whatever language does it.

    python -m tests.support.closed_network.kernel heed -C home run

It may open stream sockets and listen; it may not connect, and may open no socket for datagrams. A seccomp filter: it
holds for every thread and process that the command starts, and needs no rights.
"""

from __future__ import annotations

import ctypes
import os
import platform
import socket
import struct
import sys

_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2
_LOAD, _EQUALS, _AND, _RETURN = 0x20, 0x15, 0x54, 0x06
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_NUMBER, _FIRST, _SECOND = 0, 16, 24  # where struct seccomp_data has the call and its arguments
#: The numbers of socket(), connect() and sendmmsg(), which glibc asks name servers with.
_CALLS = {"x86_64": (41, 42, 307), "aarch64": (198, 203, 269)}


def close() -> None:
    """Close this process and all that come of it; raises OSError where the kernel does not do it."""
    opens, connects, sends = _CALLS[platform.machine()]
    allow, kill = (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _KILL)
    program = [
        (_LOAD, 0, 0, _NUMBER),
        (_EQUALS, 0, 1, connects),
        kill,
        (_EQUALS, 0, 1, sends),
        kill,
        (_EQUALS, 1, 0, opens),
        allow,
        (_LOAD, 0, 0, _FIRST),
        (_EQUALS, 0, 1, socket.AF_UNIX),  # the two ends of a pair
        allow,
        (_LOAD, 0, 0, _SECOND),
        (_AND, 0, 0, 0xF),
        (_EQUALS, 0, 1, socket.SOCK_STREAM),
        allow,
        kill,
    ]
    packed = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    header = ctypes.create_string_buffer(struct.pack("HP", len(program), ctypes.addressof(packed)))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in ((_NO_NEW_PRIVILEGES, 1, 0, 0, 0), (_SET_SECCOMP, _FILTER, header, 0, 0)):
        if libc.prctl(*arguments):
            raise OSError(ctypes.get_errno(), "the kernel does not close the network for a process")


if __name__ == "__main__":
    close()
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - the command is the test's own
