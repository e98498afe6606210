/**
 * @file fix/mutator_program_internal.h
 * @brief What the mutator knows of a program: its tokens, logical lines and scopes, and where expressions begin and
 * end.
 */
#ifndef PAWL_FIX_MUTATOR_PROGRAM_INTERNAL_H
#define PAWL_FIX_MUTATOR_PROGRAM_INTERNAL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAWL_NO_INDEX UINT32_MAX
#define PAWL_MUTATOR_TOKEN_BOUND 65536 /**< What comes after so many tokens is left as it is. */

enum mutator_token_kind {
    MUTATOR_NAME,
    MUTATOR_KEYWORD,
    MUTATOR_NUMBER,
    MUTATOR_STRING,
    MUTATOR_OPERATOR,
    MUTATOR_OPEN,
    MUTATOR_CLOSE,
    MUTATOR_NEWLINE, /**< The end of a logical line. */
    MUTATOR_OPAQUE   /**< Never edited: docstrings, here-documents, patterns. */
};

struct mutator_token {
    uint32_t start, end; /**< Bytes [start, end) of the text. */
    uint32_t row;        /**< Physical line, counted from 1. */
    uint32_t line;       /**< Index of the logical line. */
    uint32_t parent;     /**< Index of the innermost bracket it stands in, or PAWL_NO_INDEX. */
    uint32_t first_like; /**< The first token with the same text; equal for equal tokens. */
    uint32_t match;      /**< Of a bracket: its partner, or PAWL_NO_INDEX. */
    enum mutator_token_kind kind;
};

enum mutator_line_flag {
    MUTATOR_LINE_OPENS = 1,   /**< A block begins after it. */
    MUTATOR_LINE_CLOSES = 2,  /**< It begins with a closing bracket. */
    MUTATOR_LINE_SIMPLE = 4,  /**< A whole statement: may be dropped, moved, copied. */
    MUTATOR_LINE_DEFINES = 8, /**< The first line of a function or class. */
    MUTATOR_LINE_FIXED = 16   /**< Imports and docstrings: not edited. */
};

struct mutator_line {
    uint32_t start, end;  /**< Bytes [start, end), with indentation and line break. */
    uint32_t first, last; /**< Tokens [first, last), without the line break. */
    uint32_t indent;      /**< In columns. */
    uint32_t opener;      /**< The line whose block it belongs to, or PAWL_NO_INDEX. */
    uint32_t scope;       /**< The line that begins the function it belongs to, or PAWL_NO_INDEX. */
    uint32_t flags;
};

/** Text that lives as long as the program: a part of it, or a literal. */
struct mutator_piece {
    const char *text;
    uint32_t length;
};

/** Facts about one language. Lists of words are separated by single spaces. */
struct mutator_language {
    const char *keywords;
    const char *and_word, *or_word, *not_word, *true_word, *false_word, *null_word;
    const char *wraps;    /**< Calls worth putting around an expression: the likely ones first. */
    const char *suffixes; /**< Method calls, indexes and slices worth adding after an expression. */
    const char *siblings; /**< Names of the same shape, which are taken for each other; groups are separated by |, and ~
                             begins those that are less alike. */
    bool indented;        /**< Blocks are made by indentation. */
    bool hash_comments, slash_comments, python_strings, template_strings, patterns, shell;
};

/** What a name was found to hold, in the scope it was last asked for. */
struct mutator_guess {
    uint32_t scope;
    int32_t shape; /**< enum mutator_shape plus one; 0 when it was never asked for. */
};

struct mutator_program {
    char *text; /**< Followed by a NUL. */
    size_t length;
    const struct mutator_language *language;
    struct mutator_token *tokens;
    uint32_t token_count;
    struct mutator_line *lines;
    uint32_t line_count;
    struct mutator_guess *guesses;    /**< By first_like. */
    uint32_t focus_first, focus_last; /**< Only tokens [first, last) are edited. */
};

const struct mutator_language *pawl_mutator_language(const char *name);
/** Takes the next part off the list. False at its end. */
bool pawl_next_word(const char **list, char separator, struct mutator_piece *word);
bool pawl_word_in(const char *text, size_t length, const char *list);

/** Cuts the text into tokens. False when memory is short. */
bool pawl_mutator_tokenize(struct mutator_program *program);
/** Matches brackets, then finds lines, blocks and scopes. False when memory is short. */
bool pawl_mutator_layout(struct mutator_program *program);

/* Tokens. Every index may be out of range: there is then no such token and the answer is false. */
bool pawl_token_is(const struct mutator_program *program, uint32_t index, const char *text);
bool pawl_token_in(const struct mutator_program *program, uint32_t index, const char *list);
bool pawl_token_kind_is(const struct mutator_program *program, uint32_t index, enum mutator_token_kind kind);
bool pawl_token_equal(const struct mutator_program *program, uint32_t a, uint32_t b);
bool pawl_token_adjacent(const struct mutator_program *program, uint32_t index); /**< To the next token. */

/* Lines: the row, and the bytes from the first token to the end of the last. */
uint32_t pawl_line_row(const struct mutator_program *program, uint32_t line);
uint32_t pawl_line_start(const struct mutator_program *program, uint32_t line);
uint32_t pawl_line_end(const struct mutator_program *program, uint32_t line);

/* Expressions, as token ranges. */
/** Precedence of the binary operator at @p index, over 0; 0 when it is none. */
int pawl_operator_precedence(const struct mutator_program *program, uint32_t index);
bool pawl_ends_operand(const struct mutator_program *program, uint32_t index);
bool pawl_begins_operand(const struct mutator_program *program, uint32_t index);
/** After the name, literal or bracket at @p index with its trailers: calls, indexes, attributes. */
uint32_t pawl_primary_end(const struct mutator_program *program, uint32_t index);
/** The first token of the primary that @p index ends. */
uint32_t pawl_primary_start(const struct mutator_program *program, uint32_t index);
/** Where the left operand of the operator at @p index begins, and where the right one ends (exclusive). */
uint32_t pawl_left_operand(const struct mutator_program *program, uint32_t index);
uint32_t pawl_right_operand(const struct mutator_program *program, uint32_t index);
/** The end of the argument or list item that begins at @p index: the next comma or closing bracket of the same depth.
 */
uint32_t pawl_item_end(const struct mutator_program *program, uint32_t index, uint32_t limit);
/** The condition of the if, elif, while or ternary keyword at @p index as [begin, end). False when there is none. */
bool pawl_condition_after(const struct mutator_program *program, uint32_t index, uint32_t *begin, uint32_t *end);
/** The bracket at @p index opens the arguments of a call; opens an index or slice. */
bool pawl_opens_call(const struct mutator_program *program, uint32_t index);
bool pawl_opens_index(const struct mutator_program *program, uint32_t index);
/** The "in" at @p index belongs to a for, not to a comparison. */
bool pawl_is_loop_in(const struct mutator_program *program, uint32_t index);
/** Shell text is only arithmetic inside (( )): true elsewhere for other languages. */
bool pawl_in_arithmetic(const struct mutator_program *program, uint32_t index);
/** The token may be edited: it is in focus, and neither opaque nor part of an import. */
bool pawl_is_editable(const struct mutator_program *program, uint32_t index);
#endif
