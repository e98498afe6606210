/* curl_easy_perform() for blocking leaves: a multi handle of the runtime's, with its warm connections, woken by a
 * cancel. */
#include "http_internal.h"

static CURLM *take_multi(pawl_runtime *runtime) {
    pthread_mutex_lock(&runtime->lock);
    CURLM *multi = runtime->idle_multi_count ? runtime->idle_multis[--runtime->idle_multi_count] : NULL;
    pthread_mutex_unlock(&runtime->lock);
    return multi ? multi : pawl_http_ready() ? curl_multi_init() : NULL;
}

static void give_multi(pawl_runtime *runtime, CURLM *multi) {
    pthread_mutex_lock(&runtime->lock);
    bool kept = runtime->idle_multi_count < IDLE_MULTIS;
    if (kept)
        runtime->idle_multis[runtime->idle_multi_count++] = multi;
    pthread_mutex_unlock(&runtime->lock);
    if (!kept)
        curl_multi_cleanup(multi);
}

void pawl_http_free_multis(pawl_runtime *runtime) {
    while (runtime->idle_multi_count)
        curl_multi_cleanup(runtime->idle_multis[--runtime->idle_multi_count]);
}

static void ring(void *user, pawl_cancel_reason reason) {
    (void)reason;
    curl_multi_wakeup(user);
}

static int wait_ms(const pawl_context *ctx) {
    uint64_t left = pawl_context_remaining(ctx), ms = left / PAWL_MS(1) + 1;
    return left == PAWL_NEVER || ms > 60000 ? 60000 : (int)ms;
}

static bool is_done(CURLM *multi, CURLcode *ret_result) {
    int left;
    CURLMsg *message = curl_multi_info_read(multi, &left);
    if (!message || message->msg != CURLMSG_DONE)
        return false;
    *ret_result = message->data.result;
    return true;
}

static pawl_status perform(CURLM *multi, pawl_context *ctx, CURLcode *ret_result, pawl_error **err) {
    for (;;) {
        int running;
        CURLMcode code = curl_multi_perform(multi, &running);
        if (is_done(multi, ret_result))
            return PAWL_OK;
        pawl_status status = pawl_context_check(ctx, err);
        if (status != PAWL_OK)
            return status;
        if (code == CURLM_OK)
            code = curl_multi_poll(multi, NULL, 0, wait_ms(ctx), NULL);
        if (code != CURLM_OK)
            return pawl_error_set(err, PAWL_E_INTERNAL, "curl_perform: %s", curl_multi_strerror(code));
    }
}

static pawl_status cannot_add(CURLMcode code, pawl_error **err) {
    if (code == CURLM_OUT_OF_MEMORY)
        return pawl_error_set(err, PAWL_E_NOMEM, "curl_perform: out of memory");
    return pawl_error_set(err, PAWL_E_INVALID, "curl_perform: %s; give it a CURL * that nothing else uses",
                          curl_multi_strerror(code));
}

/* Signal handlers are the host's (the multi handle takes that over when the handle is added), and a cancel does not
 * wait for the resolver's thread. */
static void set_behaviour(CURL *easy) {
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
}

static pawl_status perform_with(CURLM *multi, pawl_context *ctx, CURL *easy, CURLcode *ret_result, pawl_error **err) {
    set_behaviour(easy);
    CURLMcode code = curl_multi_add_handle(multi, easy);
    if (code != CURLM_OK)
        return cannot_add(code, err);
    pawl_cancel_registration registration;
    pawl_cancel_register(ctx, &registration, ring, multi);
    pawl_status status = perform(multi, ctx, ret_result, err);
    pawl_cancel_unregister(&registration);
    curl_multi_remove_handle(multi, easy);
    return status;
}

pawl_status pawl_context_curl_perform(pawl_context *ctx, void *easy, int *ret_result, pawl_error **err) {
    if (pawl_driving || !ctx)
        return pawl_error_set(err, PAWL_E_INVALID, "curl_perform: it blocks; call it in a pawl_function() leaf");
    pawl_status status = pawl_context_check(ctx, err);
    if (status != PAWL_OK)
        return status;
    CURLM *multi = take_multi(ctx->root->runtime);
    if (!multi)
        return cannot_add(CURLM_OUT_OF_MEMORY, err);
    CURLcode result = CURLE_OK;
    pawl_span span;
    pawl_error *error = NULL;
    pawl_http_observe_open(ctx, &span);
    status = perform_with(multi, ctx, easy, &result, &error);
    give_multi(ctx->root->runtime, multi);
    if (status == PAWL_OK && ret_result)
        *ret_result = (int)result;
    if (status == PAWL_OK && result != CURLE_OK)
        status = pawl_http_curl_error(&error, "curl_perform", easy, result, NULL);
    pawl_http_observe_close(ctx, &span, easy, status, error);
    if (err && error) {
        pawl_error_unref(*err);
        *err = error;
    } else {
        pawl_error_unref(error);
    }
    return status;
}
