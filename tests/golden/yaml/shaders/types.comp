#version 450
#ifndef TILE
#error TILE is not defined
#endif
#if TILE != 16
#error TILE is not 16
#endif
#ifdef SLOW
#error SLOW is defined
#endif
#if FAST != 1
#error FAST is not 1
#endif
layout(local_size_x = TILE) in;
layout(set = 1, binding = 2) buffer Data { uint v[]; } data;
layout(set = 0, binding = 0) uniform Settings { vec4 a; uint b; } settings;
layout(push_constant) uniform Push {
    uint u;
    int i;
    float f;
    bool flag;
    vec2 pair;
    uvec4 four;
    float list[3];
} push;
void main() {
    data.v[0] += push.u + uint(push.i) + uint(push.f) + uint(push.flag) + uint(push.pair.x) +
                 push.four.w + uint(push.list[2]) + settings.b;
}
