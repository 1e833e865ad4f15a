/* What every CUnit test program starts with. RP_TESTS(name, test...) makes main() run the listed
 * functions as one suite and return the number of failures: CU_basic_run_tests() itself returns 0
 * even when assertions failed. */
#ifndef RP_TESTS_UNIT_H
#define RP_TESTS_UNIT_H

#include <CUnit/Basic.h>
#include <stdio.h>

typedef struct rp_test {
    const char *name;
    void (*run)(void);
} rp_test;

static inline int rp_run_tests(const char *suite_name, const rp_test *tests) {
    if (CU_initialize_registry() != CUE_SUCCESS) return 99;
    CU_pSuite suite = CU_add_suite(suite_name, NULL, NULL);
    for (const rp_test *t = tests; suite && t->name; t++)
        if (!CU_add_test(suite, t->name, t->run)) suite = NULL;
    if (!suite) return 99;
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    if (CU_get_number_of_tests_run() == 0)
        failures = 99; /* a suite that ran nothing proves nothing */
    CU_cleanup_registry();
    return failures > 99 ? 99 : (int)failures;
}

#endif
