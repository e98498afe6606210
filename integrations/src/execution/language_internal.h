/* The languages that a sandbox runs, and how each is started. */
#ifndef PAWL_EXECUTION_LANGUAGE_H
#define PAWL_EXECUTION_LANGUAGE_H

typedef enum pawl_language {
    PAWL_LANGUAGE_PYTHON = 0,
    PAWL_LANGUAGE_JAVASCRIPT,
    PAWL_LANGUAGE_BASH,
    PAWL_LANGUAGE_COUNT
} pawl_language;

/* By name or alias ("python", "py", "python3", ...); PAWL_LANGUAGE_COUNT for any other text or NULL. */
pawl_language pawl_language_of(const char *text);
/* Static name: "python", "javascript", "bash". */
const char *pawl_language_name(pawl_language language);

#endif
