/** @file pawl/version.h  @brief Which pawl this is. */
#ifndef PAWL_VERSION_H
#define PAWL_VERSION_H

#include <pawl/base.h>

#define PAWL_VERSION_MAJOR 0
#define PAWL_VERSION_MINOR 1
#define PAWL_VERSION_PATCH 0
#define PAWL_VERSION_STRING "0.1.0"

PAWL_BEGIN_DECLS

/** @return Static string: the version of the library that runs, which may be newer than the headers compiled against.
 */
PAWL_API const char *pawl_version(void);

PAWL_END_DECLS
#endif
