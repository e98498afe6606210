import os
from attack import attempt, read

for path in ["/etc/shadow", "/root/.bashrc", "/root/.profile", os.environ["ATTACK_SECRET_FILE"],
             "/proc/1/root/etc/shadow", "/etc/machine-id", "/etc/hostname", "/var/lib/dpkg/status"]:
    attempt("read " + path, lambda: read(path))
for path in ["/root", "/var/log", os.path.dirname(os.environ["ATTACK_SECRET_FILE"])]:
    attempt("list " + path, lambda: os.listdir(path))
