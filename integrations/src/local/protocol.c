#include "protocol.h"

#include <string.h>

const char *pawl_mechanism_name(uint64_t bit) {
    static const char *const names[PAWL_MECHANISMS] = {
        "user namespace",   "pid namespace",       "mount namespace",  "network namespace",
        "ipc namespace",    "uts namespace",       "cgroup namespace", "own root file system",
        "proc file system", "host uid of its own", "loopback network", "no new privileges and no capabilities",
        "Landlock",         "Landlock scopes",     "seccomp",          "out-of-memory preference",
    };
    for (unsigned i = 0; i < PAWL_MECHANISMS; i++)
        if (bit == UINT64_C(1) << i)
            return names[i];
    return "unknown";
}

const char *pawl_wire_path_fault(const char *path, size_t length) {
    if (length == 0)
        return "is empty";
    if (length > PAWL_WIRE_PATH_MAX)
        return "is longer than 4095 bytes";
    if (path[0] == '/')
        return "is absolute; give a path relative to the work folder";
    if (memchr(path, '\0', length))
        return "contains a NUL byte";
    for (size_t at = 0; at <= length;) {
        const char *slash = at < length ? memchr(path + at, '/', length - at) : NULL;
        size_t size = slash ? (size_t)(slash - path) - at : length - at;
        if (size == 0)
            return "has an empty component";
        if (size > PAWL_WIRE_NAME_MAX)
            return "has a component longer than 255 bytes";
        if (path[at] == '.' && (size == 1 || (size == 2 && path[at + 1] == '.')))
            return "has a '.' or '..' component; give a path without, relative to the work folder";
        at += size + 1;
    }
    return NULL;
}
