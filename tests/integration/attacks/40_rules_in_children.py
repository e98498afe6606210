import subprocess
import sys
import threading
from attack import got, status


def look(where, path="/proc/self/status"):
    for name, wanted in (("Seccomp", "2"), ("NoNewPrivs", "1")):
        if status(name, path) != wanted:
            got("%s %s in a %s" % (name, status(name, path), where))


look("program")
thread = threading.Thread(target=look, args=("thread", "/proc/thread-self/status"))
thread.start()
thread.join()
subprocess.run([sys.executable, "-c", "import attack, runpy\nfor n, w in (('Seccomp', '2'), ('NoNewPrivs', '1')):\n"
                "    if attack.status(n) != w: attack.got(n + ' after exec')\n"
                "if attack.syscall(165, 0, 0, 0, 0, 0) not in (1, 38): attack.got('mount after exec')"], check=True)
