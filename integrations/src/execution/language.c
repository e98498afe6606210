#include "language_internal.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *text;
    pawl_language language;
} names[] = {
    {"python", PAWL_LANGUAGE_PYTHON},   {"javascript", PAWL_LANGUAGE_JAVASCRIPT},
    {"bash", PAWL_LANGUAGE_BASH},       {"py", PAWL_LANGUAGE_PYTHON},
    {"python3", PAWL_LANGUAGE_PYTHON},  {"js", PAWL_LANGUAGE_JAVASCRIPT},
    {"node", PAWL_LANGUAGE_JAVASCRIPT}, {"sh", PAWL_LANGUAGE_BASH},
    {"shell", PAWL_LANGUAGE_BASH},
};

pawl_language pawl_language_of(const char *text) {
    for (size_t i = 0; text && i < sizeof names / sizeof names[0]; i++)
        if (strcmp(text, names[i].text) == 0)
            return names[i].language;
    return PAWL_LANGUAGE_COUNT;
}

const char *pawl_language_name(pawl_language language) {
    return language < PAWL_LANGUAGE_COUNT ? names[language].text : "unknown";
}
