#include "engine_internal.h"
void pawl_http_loop_free(struct pawl_http_loop *http) {
    (void)http;
}
uint64_t pawl_http_loop_timer(const struct pawl_http_loop *http) {
    (void)http;
    return PAWL_NEVER;
}
void pawl_http_loop_turn(struct pawl_http_loop *http, uint64_t now_ns) {
    (void)http;
    (void)now_ns;
}
