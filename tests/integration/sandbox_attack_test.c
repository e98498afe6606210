/*
 * Attacks from inside a sandbox, made by the public interface. Each is a program of attacks/ (see attacks/attack.py)
 * that must get nothing in a sandbox, and, where that is harmless, must get something outside: the positive control.
 * The numbers are those of the catalogue of sandbox tests; the programs of one run are in sandbox_life_test.c.
 */
#include "programs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define ATTACKS_MAX 64
#define PARAMETERS 12

/* What the host has that an attack looks for. */
static struct host {
    char root[64], secret_file[128], socket_path[128];
    pid_t victim;
    int tcp, abstract, path_socket, shm, leaked_folder, leaked_file;
    uint64_t helper_digest;
} host;

static char parameters[PARAMETERS][192];
static size_t parameter_count;

static void give(const char *name, const char *value) {
    snprintf(parameters[parameter_count], sizeof parameters[0], "%s=%s", name, value);
    putenv(parameters[parameter_count++]);
}

static void give_number(const char *name, long value) {
    char text[32];
    snprintf(text, sizeof text, "%ld", value);
    give(name, text);
}

/* ---- the host's side ---- */

static void make_root(void) {
    static const char *const folders[] = {"usr", "usr/bin", "etc", "lib", "bin", "run", "dev", "home", "var", "proc"};
    static const char *const files[] = {"etc/passwd", "etc/hosts", "usr/bin/env", "secret"};
    char path[128];
    strcpy(host.root, "/tmp/sandbox_attack.XXXXXX");
    assert_non_null(mkdtemp(host.root));
    assert_int_equal(chmod(host.root, 0755), 0);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", host.root, folders[i]);
        assert_int_equal(mkdir(path, 0755), 0);
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", host.root, files[i]);
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        assert_int_equal(write(fd, "swordfish", 9), 9);
        close(fd);
    }
    snprintf(host.secret_file, sizeof host.secret_file, "%s/secret", host.root);
    give("ATTACK_ROOT", host.root);
    give("ATTACK_SECRET_FILE", host.secret_file);
}

static int listening(int family, const void *address, socklen_t length) {
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, address, length), 0);
    assert_int_equal(listen(fd, 16), 0);
    return fd;
}

static void open_sockets(void) {
    struct sockaddr_in tcp = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_un name = {.sun_family = AF_UNIX}, path = {.sun_family = AF_UNIX};
    socklen_t length = sizeof tcp;
    host.tcp = listening(AF_INET, &tcp, length);
    assert_int_equal(getsockname(host.tcp, (struct sockaddr *)&tcp, &length), 0);
    give_number("ATTACK_PORT", ntohs(tcp.sin_port));
    int bytes = snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "attack-%d", (int)getpid());
    give("ATTACK_ABSTRACT", name.sun_path + 1);
    host.abstract = listening(AF_UNIX, &name, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)bytes));
    snprintf(path.sun_path, sizeof path.sun_path, "%.64s/socket", host.root);
    give("ATTACK_SOCKET", path.sun_path);
    host.path_socket = listening(AF_UNIX, &path, sizeof path);
    assert_int_equal(chmod(path.sun_path, 0777), 0);
}

static void open_ipc(void) {
    char name[64];
    key_t key = 0x70000000 | getpid();
    host.shm = shmget(key, 4096, IPC_CREAT | 0666);
    assert_true(host.shm >= 0);
    give_number("ATTACK_SHM_KEY", key);
    snprintf(name, sizeof name, "/attack-%d", (int)getpid());
    int fd = shm_open(name, O_CREAT | O_RDWR, 0666);
    assert_true(fd >= 0);
    close(fd);
    give("ATTACK_SHM_FILE", name + 1);
    mqd_t queue = mq_open(name, O_CREAT | O_RDONLY, 0666, NULL);
    if (queue != (mqd_t)-1)
        mq_close(queue);
    give("ATTACK_QUEUE", name + 1);
}

/* Descriptors that a careless host leaves open for its children. */
static void leak_descriptors(void) {
    host.leaked_folder = open("/", O_RDONLY | O_DIRECTORY);
    host.leaked_file = open(host.secret_file, O_RDWR);
    assert_true(host.leaked_folder > 2 && host.leaked_file > 2);
}

/* FNV-1a, 64 bits. */
static uint64_t digest_of_helper(void) {
    uint64_t digest = UINT64_C(0xcbf29ce484222325);
    FILE *file = fopen(getenv("PAWL_HELPER"), "re");
    assert_non_null(file);
    for (int c; (c = getc(file)) != EOF;)
        digest = (digest ^ (unsigned char)c) * UINT64_C(0x100000001b3);
    fclose(file);
    return digest;
}

extern char **environ;

static int set_up(void **state) {
    static const char *const sleeper[] = {"sleep", "600", NULL};
    setenv("PAWL_TEST_SECRET", "swordfish", 1);
    make_root();
    open_sockets();
    open_ipc();
    leak_descriptors();
    assert_int_equal(posix_spawnp(&host.victim, "sleep", NULL, NULL, (char *const *)(void *)sleeper, environ), 0);
    give_number("ATTACK_HOST_PID", host.victim);
    host.helper_digest = digest_of_helper();
    return start_programs(state);
}

static int tear_down(void **state) {
    char command[128], name[64];
    stop_programs(state);
    kill(host.victim, SIGKILL);
    waitpid(host.victim, NULL, 0);
    snprintf(command, sizeof command, "rm -rf '%s'", host.root);
    snprintf(name, sizeof name, "/attack-%d", (int)getpid());
    shm_unlink(name), mq_unlink(name), shmctl(host.shm, IPC_RMID, NULL);
    return system(command);
}

/* ---- attacks ---- */

struct attack {
    char name[128]; /* of the file, without ".py": the test's name too */
    bool control;   /* is to be run outside too */
    char *code;
    size_t length;
};

static char folder[512];
static struct attack attacks[ATTACKS_MAX];
static char *shared;
static size_t shared_length;

static char *load(const char *file, size_t *ret_length) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    FILE *in = fopen(path, "re");
    char *text = calloc(1, 1 << 16);
    if (!in || !text)
        exit(99);
    *ret_length = fread(text, 1, (1 << 16) - 1, in);
    fclose(in);
    return text;
}

static pawl_execution_result *attack_sandbox(const struct attack *attack) {
    const char *env[PARAMETERS];
    const pawl_execution_file files[] = {{"attack.py", shared, shared_length, 0}};
    pawl_execution_request request = program("python", attack->code);
    for (size_t i = 0; i < parameter_count; i++)
        env[i] = parameters[i];
    request.env = env, request.env_count = parameter_count;
    request.files = files, request.file_count = 1;
    return run_program(&request);
}

static void assert_control_gets_something(const struct attack *attack) {
    char command[1024], line[512];
    bool got = false;
    snprintf(command, sizeof command, "ATTACK_OUTSIDE=1 /usr/bin/python3 -B '%s/%s.py' 2>&1", folder, attack->name);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    while (fgets(line, sizeof line, out))
        got |= strncmp(line, "GOT ", 4) == 0;
    pclose(out);
    if (!got)
        print_message("outside the attack gets nothing either: it proves nothing\n");
    assert_true(got);
}

static void gets_nothing_in_a_sandbox(void **state) {
    const struct attack *attack = *state;
    pawl_execution_result *result = attack_sandbox(attack);
    assert_outcome(result, "ok");
    if (strstr(result->stdout_stream.bytes, "GOT "))
        print_message("%s", result->stdout_stream.bytes);
    assert_null(strstr(result->stdout_stream.bytes, "GOT "));
    pawl_execution_result_free(result);
    assert_int_equal(kill(host.victim, 0), 0);
    if (attack->control)
        assert_control_gets_something(attack);
}

static void after_all_the_helper_is_the_same_and_works(void **state) {
    (void)state;
    assert_true(digest_of_helper() == host.helper_digest);
    pawl_execution_result *result = run_python("print('well')");
    assert_printed(result, "well\n");
    pawl_execution_result_free(result);
}

/* Whether the attack gets something outside as root only. */
static bool needs_root(const char *name) {
    static const char *const numbers[] = {"06", "14", "18", "19", "20", "22", "31"};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (strncmp(name, numbers[i], 2) == 0)
            return true;
    return false;
}

static int is_attack(const struct dirent *entry) {
    return entry->d_name[0] >= '0' && entry->d_name[0] <= '9' && strstr(entry->d_name, ".py");
}

static size_t find_attacks(struct CMUnitTest *tests) {
    struct dirent **list;
    int count = scandir(folder, &list, is_attack, alphasort);
    for (int i = 0; i < count && i < ATTACKS_MAX; i++) {
        struct attack *attack = &attacks[i];
        attack->code = load(list[i]->d_name, &attack->length);
        snprintf(attack->name, sizeof attack->name, "%.*s", (int)strlen(list[i]->d_name) - 3, list[i]->d_name);
        attack->control = geteuid() == 0 || !needs_root(attack->name);
        tests[i] =
            (struct CMUnitTest){.name = attack->name, .test_func = gets_nothing_in_a_sandbox, .initial_state = attack};
        free(list[i]);
    }
    free(list);
    return count > 0 ? (size_t)count : 0;
}

int main(void) {
    static struct CMUnitTest tests[ATTACKS_MAX + 1];
    const char *source = getenv("PAWL_SOURCE_DIR");
    snprintf(folder, sizeof folder, "%s/tests/integration/attacks", source ? source : ".");
    shared = load("attack.py", &shared_length);
    size_t count = find_attacks(tests);
    if (count < 30) {
        fprintf(stderr, "only %zu attacks in %s\n", count, folder);
        return 1;
    }
    tests[count] = (struct CMUnitTest)cmocka_unit_test(after_all_the_helper_is_the_same_and_works);
    int failed = _cmocka_run_group_tests("sandbox attacks", tests, count + 1, set_up, tear_down);
    for (size_t i = 0; i < count; i++)
        free(attacks[i].code);
    free(shared);
    return failed;
}
