import os
from attack import got

for name in ["cmdline", "kallsyms", "keys", "key-users", "timer_list", "meminfo", "cpuinfo", "interrupts", "loadavg",
             "uptime", "stat", "version", "config.gz", "modules", "mounts_of", "kcore", "kmsg", "net/tcp", "net/unix",
             "partitions", "diskstats", "vmallocinfo", "sched_debug"]:
    try:
        with open("/proc/" + name, "rb") as file:
            if file.read(1) and not name.startswith("net/"):
                got("/proc/" + name)
            elif len(file.read()) > 400:  # one's own empty network shows a heading and a line
                got("/proc/" + name)
    except OSError:
        pass
