// C++ that includes every header and calls both libraries: the declarations must have C linkage.
#include <reprise/check.h>
#include <reprise/compiler.h>
#include <reprise/direct.h>
#include <reprise/encoder.h>
#include <reprise/graph.h>
#include <reprise/passes.h>
#include <reprise/plan.h>
#include <reprise/plan_build.h>
#include <reprise/runtime.h>
#include <reprise/status.h>
#include <reprise/types.h>
#include <cstring>

int main() {
    const char text[] = "reprise 1\ngraph g {\n  buf $x out 16\n  n0 = fill 00000000 (w $x)\n}\n";
    rp_graph *graph = nullptr;
    rp_plan *plan = nullptr;
    if (rp_graph_parse(nullptr, text, std::strlen(text), "g.rpir", nullptr, &graph) != RP_OK)
        return 1;
    rp_status status = rp_compile(graph, nullptr, nullptr, &plan, nullptr);
    rp_plan_destroy(plan);
    rp_graph_destroy(graph);
    rp_direct_destroy(nullptr);
    rp_encoder_destroy(nullptr);
    if (std::strcmp(rp_status_name(RP_OK), "ok") != 0) return 2;
    return status == RP_OK ? 0 : 3;
}
