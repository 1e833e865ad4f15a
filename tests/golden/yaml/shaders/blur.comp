#version 450
// One pass of a box of seven texels.
layout(local_size_x = 8, local_size_y = 8) in;
layout(binding = 0) uniform sampler2D from;
layout(binding = 1, rgba16f) uniform writeonly image2D to;
layout(push_constant) uniform Push { vec2 step; };

void main() {
    ivec2 at = ivec2(gl_GlobalInvocationID.xy), size = imageSize(to);
    if (any(greaterThanEqual(at, size))) return;
    vec2 centre = (vec2(at) + 0.5) / vec2(size);
    vec4 sum = vec4(0);
    for (int i = -3; i <= 3; i++) sum += textureLod(from, centre + step * float(i), 0);
    imageStore(to, at, sum / 7);
}
