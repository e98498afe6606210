/* What the mutator knows of each language: words, comments, and which calls are worth trying. */
#include "mutator_program_internal.h"

#include <string.h>

static const struct mutator_language python = {
    .keywords = "and as assert async await break class continue def del elif else except False finally for from global "
                "if import in is lambda None nonlocal not or pass raise return True try while with yield",
    .and_word = "and",
    .or_word = "or",
    .not_word = "not ",
    .true_word = "True",
    .false_word = "False",
    .null_word = "None",
    .wraps = "abs len set int sorted str list sum max min float round reversed tuple bool",
    .suffixes = "[1:] [:-1] [::-1] [-1] [0] .lower() .strip() .copy() .upper() .split() .keys() .values() .items()",
    .siblings = "min max|any all|sorted reversed|~sorted list set|append extend add|floor ceil|~round int|"
                "upper lower swapcase capitalize title|isupper islower isalpha isdigit isalnum isspace|"
                "startswith endswith|index rindex find rfind|lstrip rstrip strip|ljust rjust center|"
                "split rsplit splitlines|keys values items|~int float str|ord chr|~sum len max min|popleft pop|"
                "appendleft append|union intersection difference symmetric_difference update|remove discard pop|"
                "match search fullmatch|~filter map|zip zip_longest|sin cos|log log2 log10 exp|hex bin oct|"
                "partition rpartition|permutations combinations product|bisect_left bisect_right|"
                "removeprefix removesuffix lstrip rstrip|tuple list|heappush heappop|isinstance issubclass",
    .indented = true,
    .hash_comments = true,
    .python_strings = true,
};

static const struct mutator_language javascript = {
    .keywords = "async await break case catch class const continue default delete do else export extends false finally "
                "for function if import in instanceof let new null of return static super switch throw true try typeof "
                "undefined var void while yield",
    .and_word = "&&",
    .or_word = "||",
    .not_word = "!",
    .true_word = "true",
    .false_word = "false",
    .null_word = "null",
    .wraps = "Math.abs Math.floor Number String parseInt Math.ceil Math.round",
    .suffixes = ".length .slice(1) .slice(0,-1) [0] .reverse() .toLowerCase() .toUpperCase() .trim() .slice() .sort()",
    .siblings = "min max|floor ceil round trunc|push unshift concat|pop shift|indexOf lastIndexOf search|"
                "startsWith endsWith includes|toUpperCase toLowerCase|some every|map filter forEach flatMap|"
                "slice splice substring|trim trimStart trimEnd|keys values entries|parseInt parseFloat Number|"
                "find findIndex filter|reduce reduceRight|padStart padEnd|charAt charCodeAt at|replace replaceAll|"
                "has get|add delete|log log2 log10",
    .slash_comments = true,
    .template_strings = true,
    .patterns = true,
};

static const struct mutator_language shell = {
    .keywords = "break case continue do done elif else esac exit export fi for function if in local read return shift "
                "then until while",
    .and_word = "&&",
    .or_word = "||",
    .not_word = "! ",
    .true_word = "true",
    .false_word = "false",
    .null_word = "",
    .wraps = "",
    .suffixes = "",
    .siblings = "head tail|true false|dirname basename",
    .hash_comments = true,
    .shell = true,
};

static const struct mutator_language generic = {
    .keywords = "auto bool break case catch char class const continue def default delete do double else elsif end enum "
                "false final float fn for foreach func function goto if import in include int let long match mut new "
                "nil null package private protected public return short signed sizeof static struct switch template "
                "then throw true try typedef union unless unsigned until use using var void volatile while with",
    .and_word = "&&",
    .or_word = "||",
    .not_word = "!",
    .true_word = "true",
    .false_word = "false",
    .null_word = "null",
    .wraps = "",
    .suffixes = "",
    .siblings = "min max|floor ceil round|push pop|push_back push_front|begin end|front back|first last|"
                "toupper tolower|isupper islower isalpha isdigit|strchr strrchr|strcmp strncmp|memcpy memmove|any all|"
                "left right|prev next|lower_bound upper_bound",
    .hash_comments = true,
    .slash_comments = true,
};

bool pawl_next_word(const char **list, char separator, struct mutator_piece *word) {
    if (!*list || !**list)
        return false;
    const char *end = strchr(*list, separator);
    word->text = *list;
    word->length = (uint32_t)(end ? (size_t)(end - *list) : strlen(*list));
    *list = end ? end + 1 : *list + word->length;
    return true;
}

bool pawl_word_in(const char *text, size_t length, const char *list) {
    while (*list) {
        size_t end = 0;
        while (list[end] && list[end] != ' ')
            end++;
        if (end == length && memcmp(list, text, length) == 0)
            return true;
        list += list[end] ? end + 1 : end;
    }
    return false;
}

const struct mutator_language *pawl_mutator_language(const char *name) {
    if (!name)
        return &generic;
    size_t length = strlen(name);
    if (pawl_word_in(name, length, "python python3 py"))
        return &python;
    if (pawl_word_in(name, length, "javascript js node typescript ts"))
        return &javascript;
    return pawl_word_in(name, length, "bash sh shell") ? &shell : &generic;
}
