/* What a name or expression probably holds, guessed from how the code around uses it. No guess is better than a bad
 * one. */
#include "mutator_names_internal.h"

#define LONGEST 200 /* tokens */
#define NUMBER_FUNCTIONS "len int float abs sum round ord pow floor ceil sqrt count index find rfind indexOf charCodeAt"
#define TEXT_FUNCTIONS "str chr lower upper strip join replace hex bin toLowerCase toUpperCase trim"
#define LIST_FUNCTIONS "list set sorted reversed split keys values items filter map enumerate zip range"

/* Evidence from one use: over 0 for a number, under 0 for something with elements. */
static int evidence(const struct mutator_program *p, uint32_t i) {
    if (pawl_token_in(p, i + 1, "[ . ?.") || pawl_token_in(p, i - 1, "in of") ||
        (pawl_token_is(p, i - 1, "(") &&
         pawl_token_in(p, i - 2, "len sum sorted reversed enumerate list set join zip map")))
        return -2;
    if (pawl_token_in(p, i - 1, ": ->") || pawl_token_is(p, i + 1, ":")) {
        if (pawl_token_in(p, i + 2, "int float"))
            return 3;
        if (pawl_token_in(p, i + 2, "str list dict set tuple List Dict Set Tuple"))
            return -3;
    }
    if (pawl_token_in(p, i + 1, "= += -=") && pawl_token_in(p, i + 2, "[ {"))
        return -2;
    if (pawl_token_in(p, i + 1, "= += -=") && p->tokens[i + 1].end > 0) {
        if (pawl_token_kind_is(p, i + 2, MUTATOR_STRING))
            return -2;
        if (pawl_token_kind_is(p, i + 2, MUTATOR_NUMBER) || pawl_token_in(p, i + 2, "len int float abs"))
            return 2;
    }
    if (pawl_token_in(p, i + 1, "- / // ** -= /= //= *= ++ --") || pawl_token_in(p, i - 1, "- / // % **"))
        return 2;
    if (pawl_token_in(p, i + 1, "< > <= >= == != %") && pawl_token_kind_is(p, i + 2, MUTATOR_NUMBER))
        return 1;
    bool counts = pawl_is_loop_in(p, i + 1) && pawl_token_is(p, i + 2, "range") && !pawl_token_is(p, i - 1, ",");
    bool bound = pawl_token_in(p, i - 1, "( ,") && pawl_token_is(p, p->tokens[i].parent - 1, "range");
    return counts || bound ? 2 : 0;
}

static enum mutator_shape guess(const struct mutator_program *p, uint32_t name) {
    uint32_t first, last;
    int sum = 0;
    pawl_scope_range(p, name, &first, &last);
    for (uint32_t i = first; i < last; i++) {
        if (p->tokens[i].kind == MUTATOR_NAME && pawl_token_equal(p, i, name) && !pawl_is_attribute(p, i))
            sum += evidence(p, i);
    }
    return sum > 1 ? MUTATOR_SHAPE_NUMBER : sum < -1 ? MUTATOR_SHAPE_CONTAINER : MUTATOR_SHAPE_UNKNOWN;
}

enum mutator_shape pawl_name_shape(const struct mutator_program *p, uint32_t name) {
    struct mutator_guess *known = &p->guesses[p->tokens[name].first_like];
    uint32_t scope = p->lines[p->tokens[name].line].scope;
    if (!known->shape || known->scope != scope)
        *known = (struct mutator_guess){scope, (int32_t)guess(p, name) + 1};
    return (enum mutator_shape)(known->shape - 1);
}

static enum mutator_shape operator_shape(const struct mutator_program *p, uint32_t i) {
    int precedence = pawl_operator_precedence(p, i);
    if (precedence == 4 || pawl_token_in(p, i, "not !"))
        return MUTATOR_SHAPE_TRUTH;
    if (precedence > 0 && precedence < 4)
        return MUTATOR_SHAPE_TRUTH;
    return precedence > 4 && pawl_token_in(p, i, "- / // ** << >>") ? MUTATOR_SHAPE_NUMBER : MUTATOR_SHAPE_UNKNOWN;
}

static enum mutator_shape primary_shape(const struct mutator_program *p, uint32_t first, uint32_t last) {
    if (last == first + 1) {
        switch (p->tokens[first].kind) {
        case MUTATOR_NUMBER:
            return MUTATOR_SHAPE_NUMBER;
        case MUTATOR_STRING:
            return MUTATOR_SHAPE_TEXT;
        case MUTATOR_NAME:
            return pawl_name_shape(p, first);
        default:
            return MUTATOR_SHAPE_TRUTH;
        }
    }
    uint32_t open = p->tokens[last - 1].match;
    if (open == PAWL_NO_INDEX || open < first)
        return MUTATOR_SHAPE_UNKNOWN;
    if (open == first)
        return pawl_token_in(p, open, "[ {") ? MUTATOR_SHAPE_CONTAINER : MUTATOR_SHAPE_UNKNOWN;
    if (!pawl_opens_call(p, open))
        return MUTATOR_SHAPE_UNKNOWN;
    if (pawl_token_in(p, open - 1, NUMBER_FUNCTIONS))
        return MUTATOR_SHAPE_NUMBER;
    if (pawl_token_in(p, open - 1, TEXT_FUNCTIONS))
        return MUTATOR_SHAPE_TEXT;
    return pawl_token_in(p, open - 1, LIST_FUNCTIONS) ? MUTATOR_SHAPE_CONTAINER : MUTATOR_SHAPE_UNKNOWN;
}

enum mutator_shape pawl_expression_shape(const struct mutator_program *p, uint32_t first, uint32_t last) {
    if (last - first > LONGEST)
        return MUTATOR_SHAPE_UNKNOWN;
    if (pawl_primary_end(p, first) >= last && !pawl_token_in(p, first, "- + not ! ~"))
        return primary_shape(p, first, last);
    enum mutator_shape shape = pawl_token_is(p, first, "-") ? MUTATOR_SHAPE_NUMBER : MUTATOR_SHAPE_UNKNOWN;
    for (uint32_t i = first; i < last; i++) {
        enum mutator_shape of_operator = operator_shape(p, i);
        if (of_operator == MUTATOR_SHAPE_TRUTH)
            return of_operator;
        if (of_operator != MUTATOR_SHAPE_UNKNOWN)
            shape = of_operator;
        if (p->tokens[i].kind == MUTATOR_OPEN && p->tokens[i].match != PAWL_NO_INDEX)
            i = p->tokens[i].match;
    }
    return shape;
}
