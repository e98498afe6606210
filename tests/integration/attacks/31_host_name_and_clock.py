import ctypes
import errno
import os
import socket
import time
from attack import attempt, got, outside, syscall

attempt("set the host name", lambda: socket.sethostname(socket.gethostname()))
if not outside:
    attempt("set the clock", lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()))
    for name, number in (("settimeofday", 164), ("adjtimex", 159), ("clock_adjtime", 305)):
        change = (ctypes.c_long * 64)(0x4000)
        if syscall(number, ctypes.byref(change), 0) not in (errno.EPERM, errno.ENOSYS):
            got(name)
    if syscall(171, b"x", 1) not in (errno.EPERM, errno.ENOSYS):
        got("setdomainname")
