import os
from attack import attempt

attempt("list /sys", lambda: os.listdir("/sys"))
attempt("list /sys/fs/cgroup", lambda: os.listdir("/sys/fs/cgroup"))
