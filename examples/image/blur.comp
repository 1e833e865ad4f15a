#version 450
// One direction of a Gaussian blur of nine taps; what lies beyond the edge is what lies at it.
layout(local_size_x = 16, local_size_y = 8) in;
layout(binding = 0) uniform sampler2D from;
layout(binding = 1, rgba16f) writeonly uniform image2D to;
layout(push_constant) uniform Push { ivec2 step; vec4 near; float far; } push;

vec4 at(ivec2 place) {
    return textureLod(from, (vec2(place) + 0.5) / vec2(textureSize(from, 0)), 0);
}

void main() {
    ivec2 here = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(here, imageSize(to)))) return;
    vec4 sum = push.near.x * at(here);
    for (int k = 1; k <= 4; k++) {
        float weight = k == 4 ? push.far : push.near[k];
        sum += weight * (at(here + k * push.step) + at(here - k * push.step));
    }
    imageStore(to, here, sum);
}
