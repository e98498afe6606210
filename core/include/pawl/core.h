/** @file pawl/core.h  @brief All of core. */
#ifndef PAWL_CORE_H
#define PAWL_CORE_H

#include <pawl/base.h>
#include <pawl/context.h>
#include <pawl/error.h>
#include <pawl/http.h>
#include <pawl/observer.h>
#include <pawl/op.h>
#include <pawl/primitive.h>
#include <pawl/redact.h>
#include <pawl/run.h>
#include <pawl/runtime.h>
#include <pawl/telemetry.h>
#include <pawl/value.h>
#include <pawl/version.h>

#endif
