/** @file pawl/pawl.h  @brief Everything: core, primitives, observability, integrations. */
#ifndef PAWL_PAWL_H
#define PAWL_PAWL_H

#include <pawl/core.h>
#include <pawl/integrations/integrations.h>
#include <pawl/observability/trace_memory.h>
#include <pawl/observability/trace_page.h>
#include <pawl/observability/trace_tree.h>
#include <pawl/observability/tracer.h>
#include <pawl/primitives/primitives.h>

#endif
