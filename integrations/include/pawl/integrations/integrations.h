/** @file pawl/integrations/integrations.h  @brief The whole integrations layer. */
#ifndef PAWL_INTEGRATIONS_H
#define PAWL_INTEGRATIONS_H

#include <pawl/integrations/audit.h>
#include <pawl/integrations/execution.h>
#include <pawl/integrations/fix.h>
#include <pawl/integrations/health.h>
#include <pawl/integrations/local.h>
#include <pawl/integrations/sandbox.h>
#include <pawl/integrations/usage.h>

#endif
