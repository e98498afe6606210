/* Log records as lines a person or a program reads. */
#include "logs_internal.h"
#include "clean_text_internal.h"
#include "utf8_internal.h"
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct lines {
    pawl_log_write_fn write;
    void *user;
    uint64_t format;
};

/* ---- parts of both ---- */

static const char *level_word(uint32_t level) {
    static const char *const words[] = {"DEBUG", "INFO", "WARN", "ERROR"};
    return level >= PAWL_LOG_DEBUG && level <= PAWL_LOG_ERROR ? words[level - PAWL_LOG_DEBUG] : "LOG";
}

struct short_text {
    char text[40];
};

static struct short_text time_text(uint64_t unix_ns) {
    struct short_text made = {""};
    time_t seconds = (time_t)(unix_ns / PAWL_S(1));
    struct tm parts;
    size_t length = gmtime_r(&seconds, &parts) ? strftime(made.text, 24, "%Y-%m-%dT%H:%M:%S", &parts) : 0;
    snprintf(made.text + length, sizeof made.text - length, ".%06" PRIu64 "Z", unix_ns % PAWL_S(1) / 1000);
    return made;
}

/* "" when all is zero. */
static struct short_text hex(const uint8_t *id, size_t bytes) {
    struct short_text made = {""};
    uint8_t any = 0;
    for (size_t i = 0; i < bytes; i++) {
        any |= id[i];
        snprintf(made.text + 2 * i, 3, "%02x", id[i]);
    }
    made.text[0] = any ? made.text[0] : '\0';
    return made;
}

static struct short_text number_text(const pawl_attribute *attribute) {
    struct short_text made;
    if (attribute->type == PAWL_ATTRIBUTE_INT)
        snprintf(made.text, sizeof made.text, "%" PRId64, attribute->value.integer);
    else if (attribute->type == PAWL_ATTRIBUTE_DOUBLE)
        snprintf(made.text, sizeof made.text, "%.15g", attribute->value.number);
    else
        snprintf(made.text, sizeof made.text, "%s", attribute->value.boolean ? "true" : "false");
    return made;
}

/* ---- text ---- */

/* What was cut inside a character is mended, without memory left out. escape: bytes that get a backslash. */
static void put_clean(FILE *line, const char *text, const char *escape) {
    size_t length = strlen(text);
    bool whole = pawl_utf8_valid(text, length) == length;
    char *mended = whole ? NULL : pawl_utf8_lossy(text, length, NULL);
    const char *at = whole ? text : mended ? mended : "";
    while (*at) {
        bool harmful;
        size_t bytes = pawl_clean_character(at, &harmful);
        if (strchr(escape, *at))
            fputc('\\', line);
        if (harmful)
            fputc('?', line);
        else
            fwrite(at, 1, bytes, line);
        at += bytes;
    }
    free(mended);
}

static void put_text_value(FILE *line, const char *text) {
    bool plain = *text && !strpbrk(text, " \t\r\n\"=\\");
    const char *quote = plain ? "" : "\"";
    fputs(quote, line);
    put_clean(line, text, "\"\\");
    fputs(quote, line);
}

static void put_attribute(FILE *line, const pawl_attribute *attribute) {
    fputc(' ', line);
    put_clean(line, attribute->key, "");
    fputc('=', line);
    if (attribute->type == PAWL_ATTRIBUTE_STRING)
        put_text_value(line, attribute->value.string);
    else
        fputs(number_text(attribute).text, line);
}

static void put_text(FILE *line, const pawl_log_data *log) {
    struct short_text trace = hex(log->trace_id, 16), span = hex(log->span_id, 8);
    fprintf(line, "%s %-5s ", time_text(log->time_unix_ns).text, level_word(log->level));
    put_clean(line, log->text, "");
    for (uint32_t i = 0; i < log->attribute_count; i++)
        put_attribute(line, &log->attributes[i]);
    if (*trace.text)
        fprintf(line, " trace_id=%s", trace.text);
    if (*span.text)
        fprintf(line, " span_id=%s", span.text);
}

/* ---- JSON ---- */

static cJSON *value_of(const pawl_attribute *attribute) {
    switch (attribute->type) {
    case PAWL_ATTRIBUTE_STRING:
        return cJSON_CreateString(attribute->value.string);
    case PAWL_ATTRIBUTE_INT: /* a double would lose digits */
        return cJSON_CreateRaw(number_text(attribute).text);
    case PAWL_ATTRIBUTE_DOUBLE:
        return cJSON_CreateNumber(attribute->value.number);
    default:
        return cJSON_CreateBool(attribute->value.boolean);
    }
}

static bool add_text(cJSON *object, const char *name, const char *text) {
    return !*text || cJSON_AddStringToObject(object, name, text);
}

static bool fill_object(cJSON *object, const pawl_log_data *log) {
    bool whole = add_text(object, "time", time_text(log->time_unix_ns).text) &&
                 add_text(object, "level", level_word(log->level)) &&
                 cJSON_AddStringToObject(object, "text", log->text) &&
                 add_text(object, "trace_id", hex(log->trace_id, 16).text) &&
                 add_text(object, "span_id", hex(log->span_id, 8).text);
    cJSON *attributes = whole && log->attribute_count > 0 ? cJSON_AddObjectToObject(object, "attributes") : NULL;
    for (uint32_t i = 0; attributes && whole && i < log->attribute_count; i++)
        whole = cJSON_AddItemToObject(attributes, log->attributes[i].key, value_of(&log->attributes[i]));
    return whole && (attributes || log->attribute_count == 0);
}

static char *json_new(const pawl_log_data *log) {
    cJSON *object = cJSON_CreateObject();
    char *text = object && fill_object(object, log) ? cJSON_PrintUnformatted(object) : NULL;
    char *mended = text ? pawl_utf8_lossy(text, strlen(text), NULL) : NULL;
    cJSON_Delete(object);
    cJSON_free(text);
    return mended;
}

/* ---- lines ---- */

char *pawl_log_line_new(const pawl_log_data *log, uint64_t format, size_t *ret_length) {
    char *text = NULL, *json = format == PAWL_LOG_JSON ? json_new(log) : NULL;
    FILE *line = format != PAWL_LOG_JSON || json ? open_memstream(&text, ret_length) : NULL;
    if (line && json)
        fputs(json, line);
    else if (line)
        put_text(line, log);
    if (line)
        fputc('\n', line);
    free(json);
    bool whole = line && !ferror(line);
    if (line && fclose(line) == 0 && whole)
        return text;
    free(text);
    return NULL;
}

static pawl_status write_lines(void *self, const pawl_resource *resource, const pawl_log_data *logs, size_t count,
                               uint64_t timeout_ns, pawl_error **err) {
    const struct lines *lines = self;
    pawl_status status = PAWL_OK;
    (void)resource, (void)timeout_ns;
    for (size_t i = 0; i < count; i++) {
        size_t length = 0;
        char *line = pawl_log_line_new(&logs[i], lines->format, &length);
        if (line)
            lines->write(lines->user, line, length);
        else if (status == PAWL_OK)
            status = pawl_error_set(err, PAWL_E_NOMEM, "logs: out of memory");
        free(line);
    }
    return status;
}

pawl_exporter *pawl_log_lines_new(pawl_log_write_fn write, void *user, uint64_t format, pawl_error **err) {
    static const pawl_exporter_vtable vtable = {
        .size = sizeof vtable, .name = "log_lines_exporter", .logs = write_lines, .destroy = free};
    struct lines *lines = malloc(sizeof *lines);
    if (!lines) {
        pawl_error_set(err, PAWL_E_NOMEM, "logs: out of memory");
        return NULL;
    }
    *lines = (struct lines){write, user, format};
    return pawl_exporter_new(&vtable, lines, err);
}
