import os
import signal
import subprocess
from attack import attempt, host_pid, outside

attempt("signal a process of the host", lambda: os.kill(host_pid, 0))
if not outside:
    own = subprocess.Popen(["sleep", "60"])
    os.kill(-1, signal.SIGKILL)  # all but init and this one
    assert own.wait(5) == -signal.SIGKILL
