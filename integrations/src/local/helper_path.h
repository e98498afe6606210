/* Where the helper program pawl-sandbox is. */
#ifndef PAWL_LOCAL_HELPER_PATH_H
#define PAWL_LOCAL_HELPER_PATH_H

#include <pawl/error.h>

/*
 * The first of: option, runtime option (a given one is the only one tried), beside the shared library, libexec as seen
 * from its folder, beside the executable, ../libexec/pawl of its folder, libexec as configured. Never the current
 * folder. ret_path: new text, released with free(). PAWL_E_NOT_FOUND names all places tried; PAWL_E_NOMEM.
 */
pawl_status pawl_helper_path_find(const char *option, const char *runtime_option, char **ret_path, pawl_error **err);

#endif
