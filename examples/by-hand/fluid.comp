#version 450
// The four parts of a step on an n by n grid of cells, one cell for each invocation.
layout(local_size_x = 8, local_size_y = 8) in;
#if defined(CARRY)
layout(set = 0, binding = 0) readonly buffer Flow { vec2 value[]; } flow;
layout(set = 0, binding = 1) readonly buffer What { vec2 value[]; } what;
layout(set = 0, binding = 2) writeonly buffer To { vec2 value[]; } to;
layout(push_constant) uniform Push { int n; float dt; } push;
#else
#if defined(RELAX)
layout(set = 0, binding = 0) readonly buffer Divergence { float value[]; } divergence;
layout(set = 0, binding = 1) readonly buffer From { float value[]; } from;
layout(set = 0, binding = 2) writeonly buffer To { float value[]; } to;
#elif defined(DIVERGE)
layout(set = 0, binding = 0) readonly buffer Flow { vec2 value[]; } flow;
layout(set = 0, binding = 1) writeonly buffer To { float value[]; } to;
#else
layout(set = 0, binding = 0) readonly buffer Flow { vec2 value[]; } flow;
layout(set = 0, binding = 1) readonly buffer Pressure { float value[]; } pressure;
layout(set = 0, binding = 2) writeonly buffer To { vec2 value[]; } to;
#endif
layout(push_constant) uniform Push { int n; } push;
#endif

int cell(int x, int y) {
    return clamp(y, 0, push.n - 1) * push.n + clamp(x, 0, push.n - 1);
}

void main() {
    int x = int(gl_GlobalInvocationID.x), y = int(gl_GlobalInvocationID.y);
    if (x >= push.n || y >= push.n) return;
    int left = cell(x - 1, y), right = cell(x + 1, y), up = cell(x, y - 1), down = cell(x, y + 1);
    int here = cell(x, y);
#if defined(CARRY)
    vec2 at = clamp(vec2(x, y) - push.dt * flow.value[here], vec2(0), vec2(push.n - 1));
    ivec2 low = ivec2(floor(at));
    vec2 part = at - vec2(low);
    vec2 top = mix(what.value[cell(low.x, low.y)], what.value[cell(low.x + 1, low.y)], part.x);
    vec2 below = mix(what.value[cell(low.x, low.y + 1)], what.value[cell(low.x + 1, low.y + 1)], part.x);
    to.value[here] = mix(top, below, part.y);
#elif defined(DIVERGE)
    to.value[here] = 0.5 * (flow.value[right].x - flow.value[left].x + flow.value[down].y - flow.value[up].y);
#elif defined(RELAX)
    float around = from.value[left] + from.value[right] + from.value[up] + from.value[down];
    to.value[here] = 0.25 * (around - divergence.value[here]);
#else
    vec2 slope = 0.5 * vec2(pressure.value[right] - pressure.value[left],
                            pressure.value[down] - pressure.value[up]);
    bool wall = x == 0 || y == 0 || x == push.n - 1 || y == push.n - 1;
    to.value[here] = wall ? vec2(0) : flow.value[here] - slope;
#endif
}
