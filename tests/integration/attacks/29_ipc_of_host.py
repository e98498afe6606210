import os
from attack import attempt, expect_refused, libc, outside, syscall

if syscall(29, int(os.environ["ATTACK_SHM_KEY"]), 0, 0) == 0:
    attempt("a shared memory segment of the host", lambda: True)
attempt("/dev/shm of the host", lambda: os.path.exists("/dev/shm/" + os.environ["ATTACK_SHM_FILE"]))
if syscall(240, os.environ["ATTACK_QUEUE"].encode(), os.O_RDONLY, 0, 0) == 0:
    attempt("a message queue of the host", lambda: True)
if not outside:
    expect_refused("make a message queue", 240, b"attack", os.O_RDWR | os.O_CREAT, 0o600, 0)
