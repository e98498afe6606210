/* The sandbox helper's request decoder: any bytes end in a decoded request or a fault with a text, and stay within
 * bounds. */
#include "fuzz.h"
#include "local/helper/request.c"

static void check_item(const struct request *request, enum request_event event, const struct request_item *item) {
    if (event == REQUEST_BAD && request->fault[0] == '\0')
        abort();
    if (event == REQUEST_FILE && pawl_wire_path_fault(item->path, strlen(item->path)))
        abort();
}

static void check_request(const struct request *request) {
    size_t bytes = 0;
    for (uint32_t i = 0; i < request->argc; i++)
        bytes += strlen(request->argv[i]) + 1;
    for (uint32_t i = 0; i < request->env_count; i++)
        bytes += strlen(request->env[i]) + 1;
    if (bytes > request->used || request->used > sizeof request->arena || request->argv[request->argc])
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct request *request = calloc(1, sizeof *request);
    static struct request_item item;
    enum request_event event = REQUEST_HEAD;
    size_t offset = 0;
    while (request && offset < size && event != REQUEST_BAD) {
        event = request_next(request, data, size, &offset, &item);
        check_item(request, event, &item);
    }
    if (request && event != REQUEST_BAD)
        check_request(request);
    free(request);
    return 0;
}
