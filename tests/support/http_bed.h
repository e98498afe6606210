/* A runtime and a server for HTTP tests, and one exchange by each of the three drivers. */
#ifndef HTTP_BED_H
#define HTTP_BED_H

#include "http_server.h"

#include <pawl/core.h>

enum driver { BY_RUN, BY_SUBMIT, BY_PUMP, DRIVERS };
#define for_each_driver(driver) for (enum driver driver = BY_RUN; driver < DRIVERS; driver++)

struct http_bed {
    struct http_server *server;
    pawl_runtime *runtime;
    char urls[8][256];
    size_t next_url;
};

/* How a run ended. */
struct ended {
    pawl_status status;
    pawl_value *value;
    pawl_error *error;
};

/* cmocka's set-up and tear-down of a group, and of each test: scripts and counts gone, connections closed. */
int set_up_bed(void **state);
int tear_down_bed(void **state);
int reset_bed(void **state);

/* The server's url of a path; valid for the next seven calls. */
const char *url_of(struct http_bed *bed, const char *path);
/* {"url": ..., and the members in json ("" for none, else it begins with a comma)}. New reference. */
pawl_value *request_for(struct http_bed *bed, const char *path, const char *json);

/* Runs the node on a context of one's own or (NULL) a new one, and waits for the end, 60 s at most. */
struct ended drive(struct http_bed *bed, enum driver driver, pawl_primitive *node, pawl_context *ctx, pawl_value *in);
/* The same with a plain node and request_for(). */
struct ended ask(struct http_bed *bed, enum driver driver, const char *path, const char *json);
void forget(struct ended *ended);

/* Fails the test unless it succeeded with that status and text. */
void expect_answer(struct ended *ended, int status, const char *body);
/* Fails the test unless it failed so; part: of its description, NULL any. */
void expect_end(struct ended *ended, pawl_status status, const char *part);
/* A header of the answer, NULL when missing. */
const char *answer_header(const struct ended *ended, const char *name);
/* A header of the server's n-th request; NULL when missing. Valid until the next call. */
const char *sent_header(struct http_bed *bed, size_t n, const char *name);
/* Whether the first line of the n-th request is that. */
void expect_request(struct http_bed *bed, size_t n, const char *line);

uint64_t clock_ns(void);
void pause_ms(unsigned ms);

#endif
