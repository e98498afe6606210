/** @file pawl/primitives/primitives.h  @brief All primitives. */
#ifndef PAWL_PRIMITIVES_PRIMITIVES_H
#define PAWL_PRIMITIVES_PRIMITIVES_H

#include <pawl/primitives/cache.h>
#include <pawl/primitives/fallback.h>
#include <pawl/primitives/function.h>
#include <pawl/primitives/parallel.h>
#include <pawl/primitives/refine.h>
#include <pawl/primitives/retry.h>
#include <pawl/primitives/sequential.h>
#include <pawl/primitives/timeout.h>

#endif
