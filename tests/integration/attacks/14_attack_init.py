import os
import signal
from attack import attempt, got, outside, syscall, target

PTRACE_ATTACH, PTRACE_SEIZE, PTRACE_DETACH = 16, 0x4206, 17
attempt("signal", lambda: os.kill(target, 0))
if not outside:
    attempt("kill", lambda: os.kill(target, signal.SIGKILL))
    attempt("stop", lambda: os.kill(target, signal.SIGSTOP))
if syscall(101, PTRACE_ATTACH, target, 0, 0) == 0:
    got("ptrace")
    os.waitpid(target, 0x40000000)
    syscall(101, PTRACE_DETACH, target, 0, 0)
for name in ("mem", "environ", "maps", "syscall", "stack"):
    attempt("read " + name, lambda: open("/proc/%d/%s" % (target, name), "rb").read(1))
attempt("write mem", lambda: open("/proc/%d/mem" % target, "r+b"))
