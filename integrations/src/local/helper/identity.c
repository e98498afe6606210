/*
 * Which host ids guests have. Root gives each slot ids of its own: RLIMIT_NPROC does not hold host uid 0, and pipe,
 * key and watch quotas are per host uid. An ordinary user can only map its own id.
 */
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Above every range that distributions, systemd (up to 0x6fffffff) and usual subuid files hand out. */
#define RANGE_FIRST 0x70000000u
#define RANGE_SLOTS (0x10000000u / RUNS_MAX)
/* For containers with 65536 ids: between systemd's ranges, unassigned. */
#define SMALL_FIRST 60600u

static bool is_mapped(const char *file, uint32_t first) {
    FILE *map = fopen(file, "re");
    unsigned long inside, outside, count;
    bool found = false;
    while (map && !found && fscanf(map, "%lu %lu %lu", &inside, &outside, &count) == 3)
        found = first >= inside && first + (unsigned long)RUNS_MAX <= inside + count;
    if (map)
        fclose(map);
    return found;
}

static bool both_mapped(uint32_t first) {
    return is_mapped("/proc/self/uid_map", first) && is_mapped("/proc/self/gid_map", first);
}

/* Root of a user namespace that is an ordinary user outside. */
static bool is_user_outside(void) {
    FILE *map = fopen("/proc/self/uid_map", "re");
    unsigned long inside = 1, outside = 0;
    bool read = map && fscanf(map, "%lu %lu", &inside, &outside) == 2;
    if (map)
        fclose(map);
    return read && inside == 0 && outside != 0;
}

void identity_choose(struct identity *identity) {
    uint32_t large = RANGE_FIRST + (uint32_t)getpid() % RANGE_SLOTS * RUNS_MAX;
    if (geteuid() != 0)
        return;
    identity->distinct = true;
    if (both_mapped(large))
        identity->base = large;
    else if (both_mapped(SMALL_FIRST))
        identity->base = SMALL_FIRST;
    else if (is_user_outside())
        identity->distinct = false;
    else
        snprintf(identity->fault, sizeof identity->fault,
                 "root has no spare user and group ids for guests (neither %u nor %u is mapped here)", RANGE_FIRST,
                 SMALL_FIRST);
}

static int write_file(pid_t child, const char *name, const char *text) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)child, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int error = write(fd, text, strlen(text)) < 0 ? errno : 0;
    close(fd);
    return error;
}

int identity_map(const struct identity *identity, unsigned slot, pid_t child) {
    unsigned uid = identity->distinct ? identity->base + slot : geteuid();
    unsigned gid = identity->distinct ? identity->base + slot : getegid();
    char uid_map[64], gid_map[64];
    snprintf(uid_map, sizeof uid_map, "%d %u 1", GUEST_ID, uid);
    snprintf(gid_map, sizeof gid_map, "%d %u 1", GUEST_ID, gid);
    int error = write_file(child, "setgroups", "deny");
    if (!error)
        error = write_file(child, "uid_map", uid_map);
    return error ? error : write_file(child, "gid_map", gid_map);
}
