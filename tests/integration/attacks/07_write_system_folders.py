import os
from attack import attempt

root = os.environ["ATTACK_ROOT"] if "ATTACK_OUTSIDE" in os.environ else ""
for folder in ["/usr", "/usr/bin", "/etc", "/lib", "/bin", "/run", "/run/pawl", "/dev", "/home", "/var", "/proc", "/"]:
    attempt("write in " + folder, lambda: open(root + folder + "/attack", "w"))
for path in ["/etc/passwd", "/etc/hosts", "/usr/bin/env"]:
    attempt("change " + path, lambda: open(root + path, "a"))
attempt("remove /etc/passwd", lambda: os.unlink(root + "/etc/passwd"))
attempt("rename /etc/hosts", lambda: os.rename(root + "/etc/hosts", root + "/etc/x"))
