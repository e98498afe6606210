/* Where to look first: the program's lines in a traceback. */
#include "fix_internal.h"
#include "json_put_internal.h"
#include <stdlib.h>
#include <string.h>

#define MOST_HINTS 64u

struct hint {
    long line;
    double weight;
};

static long number_after(const char *text, const char *end) {
    return text < end && *text >= '0' && *text <= '9' ? strtol(text, NULL, 10) : 0;
}

/* Line of the program that this line of a traceback names; 0 for none. Python: File "/dir/program.py", line 7, in f.
 * Node: at f (/dir/program.js:7:3). Bash: /dir/program.sh: line 7: */
static long named_line(const char *text, const char *end, const char *file) {
    size_t length = strlen(file);
    for (const char *at = text; at + length < end; at++) {
        if (memcmp(at, file, length) != 0 || (at > text && at[-1] != '/' && at[-1] != '"' && at[-1] != ' '))
            continue;
        const char *rest = at + length;
        static const char *const joints[] = {"\", line ", ": line ", ":"};
        for (size_t i = 0; i < sizeof joints / sizeof *joints; i++) {
            size_t joint = strlen(joints[i]);
            if ((size_t)(end - rest) > joint && memcmp(rest, joints[i], joint) == 0)
                return number_after(rest + joint, end);
        }
    }
    return 0;
}

/* A line that comes again counts once, with the larger weight. */
static void add_hint(struct hint *hints, size_t *count, long line, double weight) {
    for (size_t i = 0; i < *count; i++)
        if (hints[i].line == line) {
            hints[i].weight = weight > hints[i].weight ? weight : hints[i].weight;
            return;
        }
    if (*count < MOST_HINTS)
        hints[(*count)++] = (struct hint){.line = line, .weight = weight};
}

/* Later frames of a Python traceback are nearer to the error, earlier ones of a JavaScript stack. */
static size_t find_hints(const char *traceback, const char *file, struct hint *hints) {
    size_t count = 0;
    bool newest_last = strncmp(traceback, "Traceback", 9) == 0;
    double weight = newest_last ? 1 : MOST_HINTS;
    for (const char *at = traceback; *at;) {
        const char *newline = strchr(at, '\n'), *end = newline ? newline : at + strlen(at);
        long line = named_line(at, end, file);
        if (line > 0) {
            add_hint(hints, &count, line, weight);
            weight = newest_last ? weight + 1 : weight > 1 ? weight - 1 : 1;
        }
        at = newline ? newline + 1 : end;
    }
    return count;
}

cJSON *pawl_fix_hints(const char *traceback, const char *file) {
    struct hint hints[MOST_HINTS];
    size_t count = find_hints(traceback, file, hints);
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; list && i < count; i++) {
        cJSON *json = cJSON_CreateObject();
        if (json && json_put_number(json, "line", (double)hints[i].line) &&
            json_put_number(json, "weight", hints[i].weight) && cJSON_AddItemToArray(list, json))
            continue;
        cJSON_Delete(json);
        cJSON_Delete(list);
        return NULL;
    }
    return list;
}
