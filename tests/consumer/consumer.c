/* Uses what is installed: an include, calls, memory that changes hands, the version. */
#include <pawl/core.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return printf("%s\n", pawl_version()) < 0;

    const char *text = "{ \"hello\" : \"world\" }";
    pawl_value *value = NULL;
    if (pawl_value_parse(text, strlen(text), NULL, &value, NULL) != PAWL_OK)
        return 1;
    char *printed = pawl_value_print(value);
    printf("pawl says %s\n", printed);
    free(printed);
    pawl_value_unref(value);
    return 0;
}
