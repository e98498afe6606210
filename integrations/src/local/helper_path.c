#include "helper_path.h"

#include "execution/copy_internal.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "pawl-sandbox"
#define EXE_TO_LIBEXEC "../libexec/pawl" /* in whatever prefix the program was installed */
#define TRIED_BYTES 1600

static bool is_program(const char *path) {
    struct stat about;
    if (stat(path, &about) != 0)
        return false;
    if (!S_ISREG(about.st_mode)) {
        errno = EISDIR;
        return false;
    }
    return access(path, X_OK) == 0;
}

/*
 * Folder of the shared library this code was loaded from. Of code that was linked into the program dladdr(3) tells
 * argv[0], which any caller chooses and which is a bare name when PATH led to the program: never a path to look at. A
 * library that was loaded by a relative name is passed over for the same reason: the current folder proves nothing.
 */
static bool library_folder(char *ret_folder) {
    Dl_info info;
    struct link_map *object = NULL;
    static const char anchor; /* of this file */
    if (!dladdr1(&anchor, &info, (void **)&object, RTLD_DL_LINKMAP) || !object || !object->l_name)
        return false;
    if (object->l_name[0] != '/' || !realpath(object->l_name, ret_folder))
        return false;
    *strrchr(ret_folder, '/') = '\0';
    return true;
}

static bool executable_folder(char *ret_folder) {
    if (!realpath("/proc/self/exe", ret_folder))
        return false;
    *strrchr(ret_folder, '/') = '\0';
    return true;
}

struct search {
    char found[PATH_MAX];
    char tried[TRIED_BYTES];
};

static bool try_folder(struct search *search, const char *folder, const char *inside) {
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s%s%s/" NAME, folder, *inside ? "/" : "", inside) >= (int)sizeof path)
        return false;
    bool found = is_program(path);
    if (!realpath(path, search->found))
        memcpy(search->found, path, sizeof path);
    size_t used = strlen(search->tried);
    if (!found && !strstr(search->tried, search->found))
        snprintf(search->tried + used, sizeof search->tried - used, "%s%s", used ? ", " : "", search->found);
    return found;
}

static bool try_all(struct search *search) {
    char folder[PATH_MAX];
    if (library_folder(folder) &&
        (try_folder(search, folder, "") || try_folder(search, folder, PAWL_LIBDIR_TO_LIBEXEC)))
        return true;
    if (executable_folder(folder) && (try_folder(search, folder, "") || try_folder(search, folder, EXE_TO_LIBEXEC)))
        return true;
    return try_folder(search, PAWL_LIBEXEC_DIR, "");
}

pawl_status pawl_helper_path_find(const char *option, const char *runtime_option, char **ret_path, pawl_error **err) {
    const char *given = option ? option : runtime_option;
    struct search search = {{0}, {0}};
    if (given && !is_program(given))
        return pawl_error_set(err, PAWL_E_NOT_FOUND,
                              "the sandbox helper given by helper_path, '%s', cannot be used: %s; give the path of "
                              "pawl-sandbox, or none to have it looked for",
                              given, strerror(errno));
    if (!given && !try_all(&search))
        return pawl_error_set(err, PAWL_E_NOT_FOUND,
                              "the sandbox helper " NAME " was not found (tried %s); install it with the library, or "
                              "say where it is with the option helper_path",
                              search.tried);
    *ret_path = pawl_copy_text(given ? given : search.found);
    return *ret_path ? PAWL_OK : pawl_error_set(err, PAWL_E_NOMEM, "out of memory for the sandbox helper's path");
}
