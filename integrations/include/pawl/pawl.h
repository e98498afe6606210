/** @file pawl/pawl.h  @brief Everything: core, primitives, observability, integrations. */
#ifndef PAWL_PAWL_H
#define PAWL_PAWL_H

#include <pawl/core.h>
#include <pawl/integrations/integrations.h>
#include <pawl/observability/observability.h>
#include <pawl/primitives/primitives.h>

#endif
