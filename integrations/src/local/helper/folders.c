/* The system folders a guest sees: what interpreters, loaders and TLS need, nothing with secrets or settings of the
 * host. */
#include "helper.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* None lies in another that may be a symlink. */
static const char *const wanted[] = {
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc/alternatives", /* BLAS and others resolve through it */
    "/etc/ld.so.cache",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/certs",
    "/etc/pki/ca-trust/extracted",
    "/etc/localtime",
    "/etc/timezone",
};

static void add(struct folders *folders, const char *path) {
    struct folder *folder = &folders->list[folders->count];
    struct stat about;
    if (lstat(path, &about) != 0)
        return;
    folder->path = path;
    if (S_ISLNK(about.st_mode)) {
        ssize_t length = readlink(path, folder->target, sizeof folder->target - 1);
        if (length < 0 || (size_t)length >= sizeof folder->target - 1)
            return;
        folder->target[length] = '\0';
        folder->kind = FOLDER_SYMLINK;
    } else {
        folder->kind = S_ISDIR(about.st_mode) ? FOLDER_BIND : FILE_BIND;
    }
    folders->count++;
}

void folders_find(struct folders *folders) {
    static_assert(sizeof wanted / sizeof wanted[0] <= FOLDERS_MAX, "room for every folder");
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        add(folders, wanted[i]);
}
