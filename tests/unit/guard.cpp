/* No exception of shaderc or SPIRV-Tools gets out: with each of their allocations failing in turn,
 * a kernel is built, or there is no memory, or it is refused. These libraries allocate with
 * operator new, which this program replaces. */
#include <cstdlib>
#include <cstring>
#include <new>

extern "C" {
#include "kernel/guard.h"
#include "support/unit.h"
}

static unsigned long countdown; /* 0 = do not fail */
static thread_local bool counted;

static void *allocate(std::size_t size) {
    if (counted && countdown && --countdown == 0) return nullptr;
    return std::malloc(size ? size : 1);
}

void *operator new(std::size_t size) {
    void *block = allocate(size);
    if (!block) throw std::bad_alloc();
    return block;
}
void *operator new[](std::size_t size) {
    return operator new(size);
}
void *operator new(std::size_t size, const std::nothrow_t &) noexcept {
    return allocate(size);
}
void *operator new[](std::size_t size, const std::nothrow_t &) noexcept {
    return allocate(size);
}
void operator delete(void *block) noexcept {
    std::free(block);
}
void operator delete[](void *block) noexcept {
    std::free(block);
}
void operator delete(void *block, std::size_t) noexcept {
    std::free(block);
}
void operator delete[](void *block, std::size_t) noexcept {
    std::free(block);
}

static const char glsl[] = "#version 450\nlayout(binding = 0) buffer B { float b[]; };\n"
                           "void main() { b[gl_GlobalInvocationID.x] *= 2; }\n";

static shaderc_include_result *resolve(void *, const char *, int, const char *, size_t) {
    static shaderc_include_result none = {"", 0, "no includes here", 16, nullptr};
    return &none;
}

static void release(void *, shaderc_include_result *) {}

static rp_status compile(unsigned long fail_at, rp_guard_result *out) {
    rp_guard_shader shader = {};
    shader.glsl = glsl;
    shader.file = "k.comp";
    shader.resolve = resolve;
    shader.release = release;
    rp_allocator a = rp_allocator_or_default(nullptr);
    countdown = fail_at;
    counted = true;
    rp_status status = rp_guard_compile(&a, &shader, out);
    counted = false;
    return status;
}

static void test_validate() {
    rp_guard_result good;
    char why[512];
    rp_allocator a = rp_allocator_or_default(nullptr);
    CU_ASSERT_EQUAL_FATAL(compile(0, &good), RP_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(good.words);
    unsigned long failed = 0;
    for (unsigned long n = 1;; n++) {
        countdown = n;
        counted = true;
        rp_status status = rp_guard_validate(good.words, good.count, 1 << 20, why);
        counted = false;
        if (countdown > 0) {
            CU_ASSERT_EQUAL(status, RP_OK);
            break;
        }
        CU_ASSERT(status == RP_OK || status == RP_ERROR_NO_MEMORY || status == RP_ERROR_INVALID);
        failed += status == RP_ERROR_NO_MEMORY;
    }
    CU_ASSERT(failed > 100);
    printf(" %lu allocations", failed);
    rp_release(&a, good.messages);
    rp_release(&a, good.words);
}

static void test_compile() {
    unsigned long failed = 0, n = 1;
    rp_allocator a = rp_allocator_or_default(nullptr);
    for (;; n += 1 + n / 50) {
        rp_guard_result result;
        rp_status status = compile(n, &result);
        bool over = countdown > 0;
        CU_ASSERT(status == RP_OK || status == RP_ERROR_NO_MEMORY || status == RP_ERROR_INVALID);
        failed += status != RP_OK || !result.words;
        rp_release(&a, result.messages);
        rp_release(&a, result.words);
        if (over) break;
    }
    printf(" %lu of %lu allocations", failed, n);
}

int main() {
    const rp_test tests[] = {
        {"validate", test_validate}, {"compile", test_compile}, {nullptr, nullptr}};
    return rp_run_tests("guard", tests);
}
