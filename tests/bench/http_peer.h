/* A lean HTTP server for measuring: each request gets the same small answer after a pause. */
#ifndef HTTP_PEER_H
#define HTTP_PEER_H

#include <stddef.h>
#include <stdint.h>

struct http_peer;
/* Serves in a thread of its own. pause_ns: UINT64_MAX never answers. Aborts when it cannot. */
struct http_peer *http_peer_new(uint64_t pause_ns);
void http_peer_free(struct http_peer *peer); /* when its clients are gone */
int http_peer_port(const struct http_peer *peer);
size_t http_peer_requests(struct http_peer *peer);

#endif
