// Every public header from C++, and one call into each library.
#include <reprise/check.h>
#include <reprise/compiler.h>
#include <reprise/graph.h>
#include <reprise/passes.h>
#include <reprise/plan.h>
#include <reprise/plan_build.h>
#include <reprise/runtime.h>
#include <reprise/status.h>
#include <reprise/types.h>

int main() {
    rp_program *program = nullptr;
    rp_status status = rp_program_create(nullptr, "headers", &program);
    rp_program_destroy(program);
    return status == RP_OK && rp_version()[0] && rp_pass_level(1) ? 0 : 1;
}
