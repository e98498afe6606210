import os
from attack import attempt, got, read

for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        if b"swordfish" in read("/proc/%s/environ" % pid):
            got("the secret in the environment of " + pid)
    except OSError:
        pass
    if int(pid) != os.getpid():
        attempt("open memory of " + pid, lambda: open("/proc/%s/mem" % pid, "rb"))
