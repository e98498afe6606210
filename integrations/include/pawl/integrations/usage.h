/** @file pawl/integrations/usage.h  @brief Counts what code executions use, what they cost at the host's prices, and
 * watches budgets.
 *
 * Sandbox seconds are the time a sandbox was there for a program: of an execution with a result its timings without
 * queue, of one that was lost the time of the call. What did not begin to run is counted, and uses and costs nothing.
 * Figures are added when an execution ends. Counted objects; any thread.
 */
#ifndef PAWL_INTEGRATIONS_USAGE_H
#define PAWL_INTEGRATIONS_USAGE_H

#include <pawl/runtime.h>
#include <pawl/value.h>

PAWL_BEGIN_DECLS

typedef struct pawl_usage pawl_usage;

/** What one provider charges, in whatever currency. A price of 0 is a price. */
typedef struct pawl_usage_price {
    const char *provider; /**< Copied: "local", "e2b". NULL: every one without a price of its own. */
    double per_execution;
    double per_sandbox_second;
    double per_cpu_second;
} pawl_usage_price;

typedef enum pawl_usage_budget {
    PAWL_BUDGET_COST = 0,
    PAWL_BUDGET_EXECUTIONS,
    PAWL_BUDGET_SANDBOX_SECONDS,
    PAWL_BUDGET_CPU_SECONDS,
    PAWL_BUDGET_COUNT_
} pawl_usage_budget;

/** @return Static word: "cost", "executions", "sandbox_seconds", "cpu_seconds"; "unknown". */
PAWL_API const char *pawl_usage_budget_word(pawl_usage_budget budget);

/** Borrowed, valid only during the call. */
typedef struct pawl_usage_alert {
    size_t size;
    uint64_t budget;  /**< pawl_usage_budget. */
    uint64_t percent; /**< The threshold that was reached. */
    double used, limit;
    const char *currency; /**< Of cost; "" for none. */
} pawl_usage_alert;

/** Once for each threshold of a budget until pawl_usage_reset(), on the thread of the execution that reached it,
 * several at once. Must not block; may call pawl_usage functions. */
typedef void (*pawl_usage_on_alert)(void *user, const pawl_usage_alert *alert);

#define PAWL_USAGE_PRICES 32u
#define PAWL_USAGE_ALERTS 16u

/** Zero means the default. */
typedef struct pawl_usage_options {
    size_t size;                    /**< sizeof(pawl_usage_options); set by the macro. */
    const pawl_usage_price *prices; /**< Copied. NULL: there is no cost, which is not a cost of 0. */
    uint64_t price_count;           /**< At most PAWL_USAGE_PRICES. */
    const char *currency;           /**< Copied, at most 15 bytes; a label, such as "EUR". Default: none. */
    double max_cost;                /**< Budgets of a period; 0: none. Cost needs prices. */
    double max_sandbox_seconds;
    double max_cpu_seconds;
    uint64_t max_executions; /**< PAWL_ZERO: not one, with refuse. */
    const uint64_t
        *alerts;          /**< Copied: thresholds in percent of a budget, ascending, 1 to 1,000. Default 50, 80, 100. */
    uint64_t alert_count; /**< At most PAWL_USAGE_ALERTS. */
    pawl_usage_on_alert on_alert; /**< NULL: nobody is told. */
    void *user;                   /**< Borrowed, must outlive the usage. */
    /** Not 0: executions are refused with PAWL_E_REJECTED (permanent, nothing started) while a budget is used up.
     * Executions that are under way are not stopped, so that what they use may pass a budget; their number cannot. */
    uint64_t refuse;
} pawl_usage_options;

/** `pawl_usage_with(&err, .prices = prices, .price_count = 2, .max_cost = 5, .currency = "EUR")` */
#define pawl_usage_with(...) PAWL_USAGE_(__VA_ARGS__, .size = sizeof(pawl_usage_options))
#define PAWL_USAGE_(err, ...) pawl_usage_new(&(pawl_usage_options){__VA_ARGS__}, err)

/** @param options Copied. NULL for the defaults. @return New reference, NULL with PAWL_E_INVALID (a price or budget
 * that is negative or no number, max_cost without prices, thresholds that do not ascend), PAWL_E_LIMIT or PAWL_E_NOMEM.
 */
PAWL_API PAWL_NODISCARD pawl_usage *pawl_usage_new(const pawl_usage_options *options, pawl_error **err);
/** @return usage, a new reference. NULL allowed. */
PAWL_API pawl_usage *pawl_usage_ref(pawl_usage *usage);
/** Gives one reference back. NULL allowed. @return NULL. */
PAWL_API pawl_usage *pawl_usage_unref(pawl_usage *usage);

/** Counts the executions of a runtime that begin later; of several runtimes together. The runtime references it.
 * @return PAWL_OK, PAWL_E_INVALID, PAWL_E_NOMEM. */
PAWL_API pawl_status pawl_usage_attach(pawl_usage *usage, pawl_runtime *runtime, pawl_error **err);

/** Since the start or the last pawl_usage_reset(). */
typedef struct pawl_usage_totals {
    size_t size;          /**< sizeof(pawl_usage_totals); set by the caller. */
    uint64_t executions;  /**< Programs that ran, or may have run, to their end. */
    uint64_t not_started; /**< Executions that ended before their program began, refused ones left out. */
    uint64_t refused;     /**< By budgets. */
    uint64_t active;      /**< Under way now. */
    uint64_t unpriced;    /**< Executions of providers without a price: not in cost. */
    uint64_t has_cost;    /**< Not 0: there are prices. */
    double sandbox_seconds;
    double cpu_seconds; /**< User and system, of executions with a result. */
    double cost;        /**< 0 without prices. */
} pawl_usage_totals;

/** @param ret_totals Its size is read, its other fields are set. NULL usage or totals: nothing happens. */
PAWL_API void pawl_usage_get(pawl_usage *usage, pawl_usage_totals *ret_totals);

/**
 * @return New value, NULL without memory or for NULL:
 *  - executions, not_started, refused, active, unpriced: numbers; sandbox_seconds, cpu_seconds; cost: only with prices;
 *    currency: only where there is one.
 *  - by: [{provider, language, outcome, executions, sandbox_seconds, cpu_seconds, cost}], ordered; language is "other"
 *    for one that no sandbox knows; outcome is a word of pawl_execution_outcome or a status word; what did not start is
 *    counted here too. cost only where the provider has a price. More than 8 providers are "other".
 *  - budgets: {word: {used, limit, percent, used_up}}, those that were given.
 */
PAWL_API PAWL_NODISCARD pawl_value *pawl_usage_value(pawl_usage *usage);

/** Begins a new period: all figures but active become 0, and alerts may come again. */
PAWL_API void pawl_usage_reset(pawl_usage *usage);

PAWL_END_DECLS
#endif
