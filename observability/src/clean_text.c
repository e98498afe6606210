#include "clean_text_internal.h"
#include <string.h>

size_t pawl_clean_character(const char *text, bool *ret_harmful) {
    unsigned char c = (unsigned char)text[0], d = c < 0x80 ? 0 : (unsigned char)text[1];
    unsigned char e = c < 0xE0 || d == 0 ? 0 : (unsigned char)text[2];
    *ret_harmful = c < 0x20 || c == 0x7F || (c == 0xC2 && d < 0xA0) ||
                   (c == 0xE2 && d == 0x80 && (e == 0x8E || e == 0x8F || (e >= 0xA8 && e <= 0xAE))) ||
                   (c == 0xE2 && d == 0x81 && e >= 0xA6 && e <= 0xA9);
    return c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

void pawl_clean_text(char *text, const char *kept) {
    char *end = text;
    for (size_t length; *text; text += length) {
        bool harmful;
        length = strnlen(text, pawl_clean_character(text, &harmful));
        bool stays = !harmful || strchr(kept, *text);
        memmove(end, stays ? text : "?", stays ? length : 1);
        end += stays ? length : 1;
    }
    *end = '\0';
}
