#version 450
layout(local_size_x = 16, local_size_y = 4) in;
layout(set = 0, binding = 0) readonly buffer From { float value[]; } from;
layout(set = 0, binding = 1) writeonly buffer To { float value[]; } to;
layout(push_constant) uniform Push { ivec2 size; ivec2 step; vec4 near; float far; } push;
float at(ivec2 place) {
    ivec2 inside = clamp(place, ivec2(0), push.size - 1);
    return from.value[inside.y * push.size.x + inside.x];
}
void main() {
    ivec2 here = ivec2(gl_GlobalInvocationID.xy);
    if (here.x >= push.size.x || here.y >= push.size.y) return;
    float sum = push.near.x * at(here);
    for (int k = 1; k <= 4; k++) {
        float weight = k == 4 ? push.far : push.near[k];
        sum += weight * (at(here + k * push.step) + at(here - k * push.step));
    }
    to.value[here.y * push.size.x + here.x] = sum;
}
