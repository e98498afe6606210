/* Signatures of errors that are no execution's. */
#ifndef PAWL_FIX_SIGNATURE_INTERNAL_H
#define PAWL_FIX_SIGNATURE_INTERNAL_H

#include <pawl/base.h>

/* "head: text" with the text normalised as by pawl_error_signature(). size is at least 32. */
void pawl_signature_of_text(const char *head, const char *text, char *ret_text, size_t size);

#endif
