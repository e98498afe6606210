/* A fuzz target's main when there is no fuzzer: feeds it every file of the folders given. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(int folder, const char *name) {
    struct stat about;
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &about) != 0)
        return perror(name), 1;
    size_t size = (size_t)about.st_size;
    uint8_t *data = malloc(size + 1); /* one more, since malloc(0) may be NULL */
    int failed = !data || read(fd, data, size) != about.st_size;
    if (failed)
        perror(name);
    else
        LLVMFuzzerTestOneInput(data, size);
    free(data);
    close(fd);
    return failed;
}

static int replay_folder(const char *path, unsigned *count) {
    DIR *folder = opendir(path);
    int failed = 0;
    if (!folder)
        return perror(path), 1;
    for (struct dirent *entry; !failed && (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        failed = replay_file(dirfd(folder), entry->d_name);
        ++*count;
    }
    closedir(folder);
    return failed;
}

int main(int argc, char **argv) {
    unsigned count = 0;
    for (int i = 1; i < argc; i++)
        if (replay_folder(argv[i], &count))
            return 1;
    printf("%u inputs replayed\n", count);
    return count == 0; /* an empty corpus tests nothing */
}
