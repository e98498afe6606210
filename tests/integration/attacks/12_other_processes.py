import os
from attack import got

for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
    if pid not in (1, os.getpid()):
        got("process %d" % pid)
