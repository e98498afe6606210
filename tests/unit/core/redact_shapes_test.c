#include "redact_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define R PAWL_REDACTED
#define COUNT(list) (sizeof(list) / sizeof *(list))

struct row {
    const char *text, *shown; /* NULL: the same */
};

static char *redact(pawl_runtime *runtime, const char *text) {
    char *shown = pawl_runtime_redact(runtime, text);
    assert_non_null(shown);
    return shown;
}

static void check(pawl_runtime *runtime, const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *expected = rows[i].shown ? rows[i].shown : rows[i].text;
        char *shown = redact(runtime, rows[i].text);
        if (strcmp(shown, expected) != 0)
            fail_msg("%s\n  gives    %s\n  expected %s", rows[i].text, shown, expected);
        char *again = redact(runtime, shown);
        if (strcmp(again, shown) != 0)
            fail_msg("hiding twice changes\n  %s\n  to %s", shown, again);
        free(again);
        free(shown);
    }
}

static const struct row assignments[] = {
    {"API_KEY=abc123", "API_KEY=" R},
    {"API_KEY=abc123 rest", "API_KEY=" R " rest"},
    {"a\nDB_PASSWORD=a,b;c&d(e)\nb", "a\nDB_PASSWORD=" R "\nb"},
    {"export GITHUB_TOKEN=x1y2z3 && make", "export GITHUB_TOKEN=" R " && make"},
    {"export SECRET='a b'", "export SECRET='" R "'"},
    {"TOKEN=x", "TOKEN=" R},
    {"KEY=abcd", "KEY=" R},
    {"PGPASSWORD=hunter2 psql", "PGPASSWORD=" R " psql"},
    {"AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPx", "AWS_SECRET_ACCESS_KEY=" R},
    {"secret_key_base=deadbeef", "secret_key_base=" R},
    {"SIGNING_KEY2=abc", "SIGNING_KEY2=" R},
    {"password=hunter2", "password=" R},
    {"f(password=hunter2, n=1)", "f(password=" R ", n=1)"},
    {"password = hunter2", "password = " R},
    {"password = \"hun ter2\"", "password = \"" R "\""},
    {"passwd: hunter2", "passwd: " R},
    {"apiKey: abc", "apiKey: " R},
    {"APIKey=abc", "APIKey=" R},
    {"x-api-key: abc", "x-api-key: " R},
    {"Set-Cookie: a=b; Path=/\r\nHost: c", "Set-Cookie: " R "\r\nHost: c"},
    {"Cookie: a=b; c=d", "Cookie: " R},
    {"Authorization: Bearer abc.def\nAccept: */*", "Authorization: " R "\nAccept: */*"},
    {"Authorization: Basic dTpw", "Authorization: " R},
    {"curl -H \"Authorization: Bearer xyz\" host", "curl -H \"Authorization: " R "\" host"},
    {"{'Authorization': 'Bearer xyz'}", "{'Authorization': '" R "'}"},
    {"{\"password\": \"hun\\\"ter2\", \"a\": 1}", "{\"password\": \"" R "\", \"a\": 1}"},
    {"{\"token\":\"abc\"}", "{\"token\":\"" R "\"}"},
    {"{\\\"api_key\\\": \\\"ab\\\\\\\"c\\\"} x", "{\\\"api_key\\\": \\\"" R "\\\"} x"},
    {"{'client_secret': b'abc'}", "{'client_secret': b'" R "'}"},
    {"config[\"password\"] = \"x\"", "config[\"password\"] = \"" R "\""},
    {"{:api_key=>\"abc\"}", "{:api_key=>\"" R "\"}"},
    {"--access-token=abc --n=1", "--access-token=" R " --n=1"},
    {"auth: Basic dTpwYXNzd29yZDE=", "auth: " R},
    {"my_credentials=abc", "my_credentials=" R},
    {"session_token: s3cr3t", "session_token: " R},
    {"token = abc123def", "token = " R},
    {"api_key = abc123def", "api_key = " R},
    {"API_KEY = abcdef", "API_KEY = " R},
    {"next_token='abc'", "next_token='" R "'"},
    {"token=abc", "token=" R},
    {"key=4f5a6b7c8d9e0f1a", "key=" R},
    {"password: \"unclosed\nnext line", "password: \"" R "\nnext line"},
    {"https://h/p?token=abc&n=1&sig=de%2F#f", "https://h/p?token=" R "&n=1&sig=" R "#f"},
    {"https://h/?X-Amz-Signature=ab&x=1", "https://h/?X-Amz-Signature=" R "&x=1"},
    {"password=caf\xc3\xa9", "password=" R},
    {"\xc3\xa9 password=\xc3\xa9\xc3\xa9 \xc3\xa9", "\xc3\xa9 password=" R " \xc3\xa9"},
};

static void hides_the_value_and_keeps_the_name(void **state) {
    (void)state;
    check(NULL, assignments, COUNT(assignments));
}

static const struct row harmless[] = {
    {"", NULL},
    {"=", NULL},
    {":", NULL},
    {"password", NULL},
    {"password=", NULL},
    {"password:\nnext", NULL},
    {"password: ", NULL},
    {"keyboard=qwerty monkey=1 author=Jane tokens=12 turkey: 5", NULL},
    {"Author: Jane Doe <jane@example.org>", NULL},
    {"authority: example.org", NULL},
    {"authentic: yes", NULL},
    {"KeyError: 'name'", NULL},
    {"binascii.Error: TokenError: ('EOF in multi-line statement', (2, 0))", NULL},
    {"SecretNotFoundError: no such thing", NULL},
    {"token_type: bearer", NULL},
    {"max_tokens: 4096, prompt_tokens=17", NULL},
    {"password_length=12 key_size=2048 secret_name=db api_key_id=7", NULL},
    {"PASSWORD_FILE=/run/secrets/db", NULL},
    {"public_key=abc123", NULL},
    {"    return sorted(items, key=len)", NULL},
    {"sorted(a, key=lambda x: x[1])", NULL},
    {"max(d, key=d.get)", NULL},
    {"{\"key\": \"Enter\", \"keyCode\": 13}", NULL},
    {"for key in d: print(key)", NULL},
    {"    token = next(tokens)", NULL},
    {"    token = tokens[i]", NULL},
    {"    if token == \"(\":", NULL},
    {"SyntaxError: Unexpected token: identifier", NULL},
    {"unexpected token: )", NULL},
    {"def login(user: str, password: str) -> bool:", NULL},
    {"    password = get_password()", NULL},
    {"        previous_token = current", NULL},
    {"        self.allow_simple_key = not self.flow_level", NULL},
    {"    password = self.settings.password", NULL},
    {"    api_key: Optional[str] = None", NULL},
    {"password: None, secret: null, token: undefined", NULL},
    {"PASSWORD=$PASSWORD docker run -e \"API_KEY=${API_KEY}\"", NULL},
    {"password: {{ vault.password }}", NULL},
    {"cookies = {\"a\": 1}", NULL},
    {"Auth::check auth::token", NULL},
    {"secret != other, secret == other", NULL},
    {"ssh://git@example.org/x", NULL},
    {"http://example.org:8080/a@b", NULL},
    {"mailto:user@example.org, user:name@host", NULL},
    {"https://example.org/a:b@c", NULL},
    {"time: 12:30:45, ratio 1:2", NULL},
    {"e2b_execution_duration_seconds{status=\"ok\"} 1", NULL},
    {"sk-learn-based-models-are-here", NULL},
    {"AKIA is a prefix, AKIAshort too", NULL},
    {"ghp_short", NULL},
    {"eyJhbGciOiJIUzI1NiJ9 alone", NULL},
    {"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", NULL},
    {"Bearer of good news", NULL},
    {"http://REDACTED:REDACTED@h/?sig=REDACTED", NULL},                 /* as OpenTelemetry's conventions write it */
    {"the password: use a good one", "the password: " R " a good one"}, /* the price of the rule */
};

static void leaves_alone_what_only_looks_alike(void **state) {
    (void)state;
    check(NULL, harmless, COUNT(harmless));
}

static const struct row keys[] = {
    {"https://user:pass@example.org/x", "https://user:" R "@example.org/x"},
    {"postgres://u:p@ss:w@db:5432/x", "postgres://u:" R "@db:5432/x"},
    {"https://abcdef@example.org", "https://" R "@example.org"},
    {"redis://:secretpass@h", "redis://:" R "@h"},
    {"(https://token:abc@h)", "(https://token:" R "@h)"},
    {"use sk-abcdefghijklmnop1234 now", "use " R " now"},
    {"sk-abcdefghijklmnop", R}, /* the shortest */
    {"AIzaabcdefghijklmnopqrstuvwxyz01234", R},
    {"x sk_live_abcdefghij012345 y", "x " R " y"},
    {"sk-ant-api03-AbCd_efgh-1234567", R},
    {"ghp_abcdefghijklmnopqrstuvwxyz0123456789.", R "."},
    {"e2b_0123456789abcdef0123456789abcdef01234567", R},
    {"id AKIAIOSFODNN7EXAMPLE!", "id " R "!"},
    {"xoxb-123456789012-abcdef", R},
    {"a eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl b", "a " R " b"},
    {"got Bearer abcdefgh12345678ijkl from it", "got Bearer " R " from it"},
    {"x\n-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\ny", "x\n" R "\ny"},
    {"-----BEGIN PRIVATE KEY-----\nMII, cut", R},
    {"\"-----BEGIN EC PRIVATE KEY-----\\nMII\\n-----END EC PRIVATE KEY-----\\n\"", "\"" R "\\n\""},
};

static void hides_what_is_a_key_by_its_form(void **state) {
    (void)state;
    check(NULL, keys, COUNT(keys));
}

static void shapes_can_be_turned_off_and_names_added(void **state) {
    (void)state;
    static const struct row off[] = {{"password=hunter2 https://u:p@h/", NULL}};
    static const struct row more[] = {
        {"db_dsn=x pin: 1 PIN=1234 spin=3 pinned=4", "db_dsn=" R " pin: " R " PIN=" R " spin=3 pinned=4"}};
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    assert_int_equal(pawl_runtime_redaction(runtime, NULL, .no_shapes = 1), PAWL_OK);
    check(runtime, off, COUNT(off));
    assert_int_equal(pawl_runtime_redaction(runtime, NULL, .names = (const char *const[]){"*_dsn", "pin", NULL}),
                     PAWL_OK);
    check(runtime, more, COUNT(more));
    assert_int_equal(pawl_runtime_set_redaction(runtime, NULL, NULL), PAWL_OK);
    check(runtime, assignments, COUNT(assignments));
    pawl_runtime_unref(runtime);
}

static void refuses_bad_options(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    pawl_error *err = NULL;
    const char *many[66];
    for (size_t i = 0; i < 65; i++)
        many[i] = "a";
    many[65] = NULL;
    assert_int_equal(pawl_runtime_redaction(runtime, &err, .names = many), PAWL_E_INVALID);
    assert_int_equal(pawl_runtime_redaction(runtime, &err, .names = (const char *const[]){"", NULL}), PAWL_E_INVALID);
    assert_string_equal(pawl_error_message(err), "redaction: names[0] is empty; give 1 to 64 bytes");
    assert_int_equal(pawl_runtime_set_redaction(NULL, NULL, &err), PAWL_E_INVALID);
    pawl_error_unref(err);
    pawl_runtime_unref(runtime);
}

/* The scanner must not read beyond the text, wherever it ends. */
static void every_part_of_a_text_is_read_within_its_bounds(void **state) {
    (void)state;
    const struct pawl_redaction redaction = pawl_redaction_of(NULL, true);
    const struct {
        const struct row *rows;
        size_t count;
    } tables[] = {{assignments, COUNT(assignments)}, {harmless, COUNT(harmless)}, {keys, COUNT(keys)}};
    for (size_t t = 0; t < COUNT(tables); t++) {
        for (size_t i = 0; i < tables[t].count; i++) {
            size_t whole = strlen(tables[t].rows[i].text), length = 0;
            for (size_t end = 0; end <= whole; end++) {
                char *exact = malloc(end ? end : 1), *shown = NULL;
                memcpy(exact, tables[t].rows[i].text, end);
                assert_true(pawl_redact_text(&redaction, exact, end, &shown, &length));
                assert_true(!shown || pawl_redact_needed(&redaction, exact, end));
                free(shown);
                free(exact);
            }
        }
    }
}

static void a_long_value_goes_whole(void **state) {
    (void)state;
    static const char *const names[] = {"token: ", "{\"token\": \"", "key=", "API_KEY=", "Authorization: "};
    for (size_t i = 0; i < COUNT(names); i++) {
        char text[4000] = "", expected[64];
        size_t length = (size_t)snprintf(text, sizeof text, "%s", names[i]);
        for (; length < sizeof text - 1; length++)
            text[length] = "ab1"[length % 3];
        snprintf(expected, sizeof expected, "%s" R, names[i]);
        const struct row row = {text, expected};
        check(NULL, &row, 1);
    }
}

/* What would be looked at again from each of its words takes minutes if it is looked at far. */
static void text_made_of_names_is_walked_in_linear_time(void **state) {
    (void)state;
    static const char *const pieces[] = {"key=",      "token:",      "x_key=",   "key=\"",      "key='\\\"",
                                         "Cookie: {", "a://b:",      "://",      "-----BEGIN ", "eyJabcdefgh.",
                                         "\\",        "password: ",  "token=\\", "x_key=${",    "Bearer a-",
                                         "sk-a",      "a.password=", "@"};
    const struct pawl_redaction redaction = pawl_redaction_of(NULL, true);
    const size_t length = 1u << 18;
    char *text = malloc(length), *shown;
    size_t shown_length;
    for (size_t i = 0; i < COUNT(pieces); i++) {
        size_t piece = strlen(pieces[i]);
        for (size_t at = 0; at < length; at++)
            text[at] = at == length - 1 ? '(' : pieces[i][at % piece];
        assert_true(pawl_redact_text(&redaction, text, length, &shown, &shown_length));
        free(shown);
    }
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hides_the_value_and_keeps_the_name),
        cmocka_unit_test(leaves_alone_what_only_looks_alike),
        cmocka_unit_test(hides_what_is_a_key_by_its_form),
        cmocka_unit_test(shapes_can_be_turned_off_and_names_added),
        cmocka_unit_test(refuses_bad_options),
        cmocka_unit_test(every_part_of_a_text_is_read_within_its_bounds),
        cmocka_unit_test(a_long_value_goes_whole),
        cmocka_unit_test(text_made_of_names_is_walked_in_linear_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
