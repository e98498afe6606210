/**
 * @file fix/mutator_internal.h
 * @brief The built-in single-edit mutator: programs that are one small edit away from a given one, likely repairs
 * first.
 *
 * Plain C over bytes: no context, no sandbox, no files. It knows the words of Python, JavaScript and bash and treats
 * any other language as one that looks like C. The same text and options always give the same candidates in the same
 * order. Comments, docstrings and imports are never edited.
 */
#ifndef PAWL_FIX_MUTATOR_INTERNAL_H
#define PAWL_FIX_MUTATOR_INTERNAL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A longer text gets no candidates: nobody waits for the repair of a program of that size by single edits. */
#define PAWL_MUTATOR_MAX_TEXT_BYTES ((size_t)4 << 20)
#define PAWL_MUTATOR_DEFAULT_CANDIDATES 1000
#define PAWL_MUTATOR_MAX_CANDIDATES 20000

/** What was done to the program. */
enum pawl_mutation_kind {
    PAWL_MUTATION_COMPARISON, /**< < became <= */
    PAWL_MUTATION_ARITHMETIC, /**< + became - */
    PAWL_MUTATION_ASSIGNMENT, /**< += became = */
    PAWL_MUTATION_BOOLEAN,    /**< and became or */
    PAWL_MUTATION_NEGATION,   /**< a condition or operand was negated or extended, or its "not" went */
    PAWL_MUTATION_LITERAL,    /**< True became False */
    PAWL_MUTATION_CONSTANT,   /**< a number became its neighbour or another one of the program */
    PAWL_MUTATION_OFFSET,     /**< + 1 or - 1 was added or removed */
    PAWL_MUTATION_STRING,     /**< a string became empty, or another one of the program */
    PAWL_MUTATION_NAME,       /**< a variable became another one of its scope */
    PAWL_MUTATION_FUNCTION,   /**< a function or method became a sibling of it */
    PAWL_MUTATION_ARGUMENTS,  /**< arguments were swapped, or one removed */
    PAWL_MUTATION_OPERANDS,   /**< the operands of an operator were swapped */
    PAWL_MUTATION_TERM,       /**< an operator went with one of its operands */
    PAWL_MUTATION_GROUPING,   /**< parentheses came or went */
    PAWL_MUTATION_WRAP,       /**< a call, method, index or slice was put around or after an expression */
    PAWL_MUTATION_UNWRAP,     /**< f(x) became x */
    PAWL_MUTATION_EXPRESSION, /**< an expression became another one of its scope */
    PAWL_MUTATION_JUMP,       /**< break became continue, elif became if */
    PAWL_MUTATION_DROP,       /**< a statement was removed */
    PAWL_MUTATION_SWAP_LINES, /**< two neighbouring statements changed places */
    PAWL_MUTATION_INDENT,     /**< a statement moved into or out of a block */
    PAWL_MUTATION_INSERT,     /**< a statement was added: a copy of another, or a step of a loop's variable */
    PAWL_MUTATION_KINDS
};

/** A line that may hold the bug. */
struct pawl_mutator_hint {
    uint32_t line; /**< Counted from 1. */
    double weight; /**< Over 0; twice the weight comes noticeably earlier. Anything else is ignored. */
};

/** Zero means the default. */
struct pawl_mutator_options {
    const char
        *language; /**< "python", "javascript" ("js"), "bash" ("sh"); else C-like. Only read by the constructor. */
    const struct pawl_mutator_hint *hints; /**< Copied. Lines without a hint come last. NULL: all lines alike. */
    size_t hint_count;
    size_t max_candidates; /**< Default PAWL_MUTATOR_DEFAULT_CANDIDATES, at most PAWL_MUTATOR_MAX_CANDIDATES. */
};

/** One candidate. The pointers are borrowed until the next call with the same mutator. */
struct pawl_mutation {
    const char *text; /**< The whole program; also NUL-terminated, but may hold NUL bytes. */
    size_t length;
    const char *description; /**< "line 7: < became <=", valid UTF-8 without control characters. */
    uint32_t line;           /**< Where the edit begins, counted from 1. */
    enum pawl_mutation_kind kind;
};

struct pawl_mutator;

/**
 * Finds and orders the edits of a program; their texts are only made by pawl_mutator_next(). All memory is taken here.
 * @param text    Copied; any bytes.
 * @param options Copied. NULL for the defaults.
 * @return Owned by the caller; NULL when memory is short.
 */
struct pawl_mutator *pawl_mutator_new(const char *text, size_t length, const struct pawl_mutator_options *options);

/** Gives the next candidate: never the original, never one given before. False, with @p out untouched, at the end. */
bool pawl_mutator_next(struct pawl_mutator *mutator, struct pawl_mutation *out);

/** NULL is fine. */
void pawl_mutator_free(struct pawl_mutator *mutator);

/** "comparison", "name", ...; a static string. */
const char *pawl_mutation_kind_name(enum pawl_mutation_kind kind);
#endif
