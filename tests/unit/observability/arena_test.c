/* Arenas and tables: zeroed, aligned pieces that stay where they are, and places for any index. */
#include "arena_internal.h"
#include "failing_malloc.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void pieces_are_zeroed_aligned_and_apart(void **state) {
    (void)state;
    struct arena arena = {.chunk_bytes = 0};
    char *pieces[500];
    for (size_t i = 0; i < 500; i++) {
        pieces[i] = pawl_arena_take(&arena, i);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        for (size_t b = 0; b < i; b++)
            assert_int_equal(pieces[i][b], 0);
        memset(pieces[i], (int)i & 0xFF, i);
    }
    for (size_t i = 1; i < 500; i++)
        assert_true((unsigned char)pieces[i][0] == (i & 0xFF) && (unsigned char)pieces[i][i - 1] == (i & 0xFF));
    pawl_arena_free(&arena);
    pawl_arena_free(&arena);
}

static void a_piece_may_be_larger_than_a_chunk_and_never_larger_than_memory(void **state) {
    (void)state;
    struct arena arena = {.chunk_bytes = 64};
    assert_non_null(pawl_arena_take(&arena, 100000));
    assert_non_null(pawl_arena_items(&arena, 0, 8));
    assert_null(pawl_arena_items(&arena, SIZE_MAX / 2, 8));
    pawl_arena_free(&arena);
}

static void every_index_has_a_place_of_its_own(void **state) {
    (void)state;
    uint32_t at, expected = 0;
    unsigned chunk = 0;
    for (uint32_t index = 0; index < 100000; index++, expected++) {
        if (expected == 64u << chunk) {
            expected = 0;
            chunk++;
        }
        assert_int_equal(table_place(index, &at), chunk);
        assert_int_equal(at, expected);
    }
    assert_int_equal(table_place(TABLE_MOST - 1, &at), TABLE_CHUNKS - 1);
    assert_int_equal(at, (64u << (TABLE_CHUNKS - 1)) - 1);
}

static void a_table_gives_what_was_put(void **state) {
    (void)state;
    static struct table table;
    struct arena arena = {.chunk_bytes = 0};
    int items[3];
    const uint32_t indexes[] = {0, 63, 1000000};
    assert_null(table_get(&table, 0));
    for (size_t i = 0; i < 3; i++)
        assert_true(pawl_table_put(&table, &arena, indexes[i], &items[i]));
    for (size_t i = 0; i < 3; i++)
        assert_ptr_equal(table_get(&table, indexes[i]), &items[i]);
    assert_null(table_get(&table, 1));
    assert_null(table_get(&table, 64));
    pawl_arena_free(&arena);
}

static void lacks_memory_without_harm(void **state) {
    (void)state;
    for_each_failing_allocation(n) {
        struct arena arena = {.chunk_bytes = 0};
        struct table table;
        memset(&table, 0, sizeof table);
        bool put = pawl_table_put(&table, &arena, 5, &arena);
        assert_int_equal(put, allocations_failed() == 0);
        assert_ptr_equal(table_get(&table, 5), put ? &arena : NULL);
        pawl_arena_free(&arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
        cmocka_unit_test(a_piece_may_be_larger_than_a_chunk_and_never_larger_than_memory),
        cmocka_unit_test(every_index_has_a_place_of_its_own),
        cmocka_unit_test(a_table_gives_what_was_put),
        cmocka_unit_test(lacks_memory_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
