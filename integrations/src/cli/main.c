/* pawl: one subcommand a file; everything it does is the library's. */
#include "cli.h"
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"exec", cli_exec, "run a program in the sandbox"},
    {"fix", cli_fix, "repair a program until its test passes"},
    {"trace", cli_trace, "make a page of a trace file"},
    {"doctor", cli_doctor, "tell what this machine can and cannot do"},
};

static void print_usage(FILE *to) {
    fputs("usage: pawl COMMAND [OPTIONS]\n\n"
          "  pawl exec -c 'print(6 * 7)'\n"
          "  pawl exec program.py --timeout 5\n"
          "  pawl fix program.py --test test.py --holdout holdout.py\n"
          "  pawl trace view run.jsonl\n"
          "  pawl doctor\n\n",
          to);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].summary);
    fputs("\n`pawl COMMAND --help` tells more; `pawl --version` the version.\n", to);
}

static int flush(int status) {
    return fflush(stdout) == 0 ? status : EXIT_CHECKS_FAILED;
}

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "";
    cli_own_standard_streams();
    if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) {
        printf("pawl %s\n", pawl_version());
        return flush(EXIT_OK);
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_usage(stdout);
        return flush(EXIT_OK);
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(name, commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    if (*name)
        fprintf(stderr, "pawl: there is no command '%s'\n\n", name);
    print_usage(stderr);
    return EXIT_USAGE;
}
