/* "line 7: < became <=": a sentence about one edit. */
#include "mutator_edit_internal.h"

#include <stdio.h>
#include <string.h>

#define SNIPPET_BYTES 48

/* Bytes that may stand in a description; the rest, invalid UTF-8 included, becomes "?". */
static size_t valid_sequence(const unsigned char *text, size_t length) {
    if (text[0] >= 0x20 && text[0] < 0x7f)
        return 1;
    size_t wanted = text[0] >= 0xc2 && text[0] < 0xe0 ? 2 : text[0] >= 0xe1 && text[0] < 0xf0 ? 3 : 0;
    if (wanted == 0 || wanted > length || (text[0] == 0xed && text[1] >= 0xa0))
        return 0;
    for (size_t i = 1; i < wanted; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    }
    return text[0] == 0xc2 && text[1] < 0xa0 ? 0 : wanted; /* not the C1 controls */
}

/* Copies text without control characters, one space for each run of white space, "..." when it is long. */
static void snippet(char *out, size_t size, const char *text, size_t length) {
    size_t used = 0;
    for (size_t i = 0; i < length;) {
        const unsigned char *at = (const unsigned char *)text + i;
        if (used + 8 > size) {
            memcpy(out + used, "...", 3);
            used += 3;
            break;
        }
        size_t taken = valid_sequence(at, length - i);
        bool space = *at == ' ' || *at == '\n' || *at == '\t' || *at == '\r';
        if (space && used > 0 && out[used - 1] != ' ')
            out[used++] = ' ';
        else if (!space && taken == 0)
            out[used++] = '?';
        else if (!space) {
            memcpy(out + used, at, taken);
            used += taken;
        }
        i += taken ? taken : 1;
    }
    while (used > 0 && out[used - 1] == ' ')
        used--;
    out[used] = '\0';
}

static size_t join(const struct mutator_edit *edit, char *out, size_t size) {
    size_t used = 0;
    for (uint32_t i = 0; i < edit->piece_count; i++) {
        const struct mutator_piece *piece = &edit->pieces[i];
        size_t length = piece->length < size - used ? piece->length : size - used;
        memcpy(out + used, piece->text ? piece->text : edit->number, length);
        used += length;
    }
    return used;
}

/* The piece of text that an insertion comes after, so that the reader finds the place: the line up to it. */
static void context_before(const struct mutator_program *p, uint32_t at, char *out, size_t size) {
    uint32_t start = at;
    while (start > 0 && at - start < 24 && p->text[start - 1] != '\n')
        start--;
    while (start < at && ((unsigned char)p->text[start] & 0xc0) == 0x80)
        start++;
    snippet(out, size, p->text + start, at - start);
}

void pawl_mutator_describe(const struct mutator_program *p, const struct mutator_edit *edit, char *out, size_t size) {
    char before[SNIPPET_BYTES + 4], after[SNIPPET_BYTES + 4], joined[4 * SNIPPET_BYTES];
    snippet(before, sizeof before, p->text + edit->start, edit->end - edit->start);
    snippet(after, sizeof after, joined, join(edit, joined, sizeof joined));
    if (edit->note)
        snprintf(out, size, "line %u: %s", (unsigned)edit->row, edit->note);
    else if (before[0] && after[0])
        snprintf(out, size, "line %u: %s became %s", (unsigned)edit->row, before, after);
    else if (before[0])
        snprintf(out, size, "line %u: %s removed", (unsigned)edit->row, before);
    else {
        context_before(p, edit->start, before, sizeof before);
        snprintf(out, size, "line %u: %s inserted after %s", (unsigned)edit->row, after,
                 before[0] ? before : "the indentation");
    }
}
