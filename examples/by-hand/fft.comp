#version 450
// One butterfly for each invocation: x the pair, y the line. `done` is the length of what is
// transformed already, `angle` that of its root.
layout(local_size_x = 32, local_size_y = 2) in;
layout(set = 0, binding = 0) readonly buffer From { vec2 value[]; } from;
layout(set = 0, binding = 1) writeonly buffer To { vec2 value[]; } to;
layout(push_constant) uniform Push { uint n, along, across, done; float angle; } push;
void main() {
    uint pair = gl_GlobalInvocationID.x, line = gl_GlobalInvocationID.y * push.across;
    if (pair >= push.n / 2u || gl_GlobalInvocationID.y >= push.n) return;
    uint k = pair % push.done, place = (pair / push.done) * 2u * push.done + k;
    vec2 a = from.value[line + pair * push.along];
    vec2 b = from.value[line + (pair + push.n / 2u) * push.along];
    vec2 root = vec2(cos(push.angle * float(k)), sin(push.angle * float(k)));
    b = vec2(root.x * b.x - root.y * b.y, root.x * b.y + root.y * b.x);
    to.value[line + place * push.along] = a + b;
    to.value[line + (place + push.done) * push.along] = a - b;
}
