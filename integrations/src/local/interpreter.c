#include "interpreter.h"

#include "execution/copy_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIED_BYTES 700

static const char usual_folders[] = "/usr/local/bin:/usr/bin:/bin";

static const struct {
    const char *names[3];    /* looked for in PATH, in this order within a folder */
    const char *real_prefix; /* a resolved binary is called so: a version manager's one program for all is not */
    const char *remedy;
} kinds[PAWL_LANGUAGE_COUNT] = {
    [PAWL_LANGUAGE_PYTHON] = {{"python3", "python", NULL}, "python", "install python3 (Debian: apt install python3)"},
    [PAWL_LANGUAGE_JAVASCRIPT] = {{"node", "nodejs", NULL}, "node", "install node (Debian: apt install nodejs)"},
    [PAWL_LANGUAGE_BASH] = {{"bash", NULL, NULL}, "bash", "install bash"},
};

struct search {
    const struct pawl_interpreter_search *what;
    pawl_interpreter *found;
    char tried[TRIED_BYTES]; /* "path: reason; path: reason" */
    bool out_of_memory;
};

static void note(struct search *search, const char *path, const char *reason) {
    size_t used = strlen(search->tried);
    snprintf(search->tried + used, sizeof search->tried - used, "%s%s: %s", used ? "; " : "", path, reason);
}

/* ---- can the guest read it? ---- */

static bool is_open_to_all(const char *path, mode_t needed) {
    struct stat about;
    return stat(path, &about) == 0 && (about.st_mode & needed) == needed;
}

/* Whether every folder on the way lets anybody through. */
static bool is_reachable_by_all(const char *path) {
    char part[PATH_MAX];
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        size_t length = (size_t)(slash - path);
        if (length >= sizeof part)
            return false;
        memcpy(part, path, length);
        part[length] = '\0';
        if (!is_open_to_all(part, S_IXOTH))
            return false;
    }
    return true;
}

static bool guest_can(const struct search *search, const char *path) {
    if (!search->what->guest_is_other)
        return access(path, R_OK | X_OK) == 0;
    return is_reachable_by_all(path) && is_open_to_all(path, S_IROTH | S_IXOTH);
}

static bool is_binary(const char *path) {
    char head[4] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t got = fd < 0 ? -1 : read(fd, head, sizeof head);
    if (fd >= 0)
        close(fd);
    return got == (ssize_t)sizeof head && memcmp(head, "\177ELF", 4) == 0;
}

/* ---- what must be shown beside it ---- */

static bool add_bind(struct search *search, const char *path) {
    pawl_interpreter *found = search->found;
    if (access(path, F_OK) != 0)
        return true;
    char *copy = pawl_copy_text(path);
    if (copy)
        found->binds[found->bind_count++] = copy;
    else
        search->out_of_memory = true;
    return copy != NULL;
}

static bool add_bind_in(struct search *search, const char *folder, const char *name) {
    char path[PATH_MAX];
    char resolved[PATH_MAX]; /* the sandbox binds no symlinks */
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path || !realpath(path, resolved))
        return true;
    return add_bind(search, resolved);
}

/* Cuts the last part off. */
static void cut_name(char *path) {
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = '\0';
}

/* Python's library is beneath the prefix, which is where bin/ is: no more of that folder is shown, since a prefix may
 * be somebody's home. */
static bool add_python_library(struct search *search, const char *binary) {
    char prefix[PATH_MAX];
    snprintf(prefix, sizeof prefix, "%s", binary);
    cut_name(prefix);
    cut_name(prefix);
    return add_bind_in(search, prefix, "lib") && add_bind_in(search, prefix, "lib64");
}

/* A virtual environment: its bin/ has a link to the real binary, its library the packages (PEP 405). */
static bool add_environment(struct search *search, const char *root) {
    return add_bind_in(search, root, "bin") && add_bind_in(search, root, "lib") &&
           add_bind_in(search, root, "pyvenv.cfg");
}

static bool is_environment(const char *candidate, char *ret_root, char *ret_exec) {
    char folder[PATH_MAX], resolved[PATH_MAX], config[PATH_MAX + 16];
    const char *name = strrchr(candidate, '/');
    snprintf(folder, sizeof folder, "%s", candidate);
    cut_name(folder);
    if (!name || !realpath(folder, resolved))
        return false;
    snprintf(ret_root, PATH_MAX, "%s", resolved);
    cut_name(ret_root);
    snprintf(config, sizeof config, "%s/pyvenv.cfg", ret_root);
    return access(config, R_OK) == 0 && snprintf(ret_exec, PATH_MAX, "%s%s", resolved, name) < PATH_MAX;
}

static bool describe(struct search *search, const char *candidate, const char *binary) {
    char root[PATH_MAX], exec[PATH_MAX];
    bool python = search->what->language == PAWL_LANGUAGE_PYTHON;
    bool environment = python && is_environment(candidate, root, exec) && guest_can(search, root);
    search->found->exec = pawl_copy_text(environment ? exec : binary);
    search->out_of_memory |= !search->found->exec;
    bool done = search->found->exec && add_bind(search, binary);
    if (done && python)
        done = add_python_library(search, binary);
    return done && environment ? add_environment(search, root) : done;
}

/* ---- one candidate ---- */

static const char *fault_of(struct search *search, const char *path, char *ret_binary) {
    if (!realpath(path, ret_binary))
        return strerror(errno);
    const char *name = strrchr(ret_binary, '/') + 1;
    const char *prefix = kinds[search->what->language].real_prefix;
    if (!is_binary(ret_binary))
        return access(ret_binary, R_OK) == 0 ? "a script, such as a version manager's, and no interpreter"
                                             : strerror(errno);
    if (!search->what->given && strncmp(name, prefix, strlen(prefix)) != 0)
        return "leads to a program of another name, such as a version manager";
    if (!guest_can(search, ret_binary))
        return "the sandbox's user cannot read it";
    return NULL;
}

/* True: the search is over. */
static bool try_path(struct search *search, const char *path) {
    char binary[PATH_MAX];
    const char *fault = fault_of(search, path, binary);
    if (!fault)
        return describe(search, path, binary) || search->out_of_memory;
    if (search->what->given || access(path, F_OK) == 0)
        note(search, path, fault);
    return false;
}

static bool try_folders(struct search *search, const char *folders) {
    char path[PATH_MAX];
    while (*folders) {
        size_t length = strcspn(folders, ":");
        for (const char *const *name = kinds[search->what->language].names; *name; name++) {
            int bytes = snprintf(path, sizeof path, "%.*s/%s", (int)length, folders, *name);
            if (folders[0] == '/' && bytes < (int)sizeof path && try_path(search, path))
                return true;
        }
        folders += length + (folders[length] == ':');
    }
    return false;
}

static pawl_status not_found(const struct search *search, pawl_error **err) {
    pawl_language language = search->what->language;
    const char *places = search->what->given  ? search->what->given
                         : search->what->path ? "PATH, /usr/local/bin, /usr/bin and /bin"
                                              : "/usr/local/bin, /usr/bin and /bin";
    return pawl_error_set(err, PAWL_E_UNSUPPORTED, "no %s interpreter for the local sandbox in %s%s%s%s; %s%s",
                          pawl_language_name(language), places, search->tried[0] ? " (" : "", search->tried,
                          search->tried[0] ? ")" : "", kinds[language].remedy,
                          search->what->given ? ", or give the path of a real binary" : "");
}

pawl_status pawl_interpreter_find(const struct pawl_interpreter_search *what, pawl_interpreter *ret_interpreter,
                                  pawl_error **err) {
    struct search search = {.what = what, .found = ret_interpreter};
    memset(ret_interpreter, 0, sizeof *ret_interpreter);
    bool over = what->given ? try_path(&search, what->given)
                            : (what->path && try_folders(&search, what->path)) || try_folders(&search, usual_folders);
    if (over && !search.out_of_memory)
        return PAWL_OK;
    pawl_interpreter_finish(ret_interpreter);
    if (search.out_of_memory)
        return pawl_error_set(err, PAWL_E_NOMEM, "out of memory while looking for an interpreter");
    return not_found(&search, err);
}

void pawl_interpreter_finish(pawl_interpreter *interpreter) {
    free(interpreter->exec);
    for (size_t i = 0; i < interpreter->bind_count; i++)
        free(interpreter->binds[i]);
    memset(interpreter, 0, sizeof *interpreter);
}
