import os
from attack import got

for path in ["/proc/sys", "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/sys/fs", "/proc/bus",
             "/proc/irq", "/proc/acpi", "/proc/scsi"]:
    if os.path.exists(path):
        got(path)
