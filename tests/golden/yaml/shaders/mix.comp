#version 450
// Images without samplers of their own, a table of texels, and an image that is read and written.
layout(local_size_x = 8, local_size_y = 8) in;
layout(binding = 0) uniform texture2D images[2];
layout(binding = 1) uniform sampler how;
layout(binding = 2) uniform samplerBuffer table;
layout(binding = 3, rgba8) uniform image2D to;

void main() {
    ivec2 at = ivec2(gl_GlobalInvocationID.xy), size = imageSize(to);
    if (any(greaterThanEqual(at, size))) return;
    vec2 centre = (vec2(at) + 0.5) / vec2(size);
    vec4 a = textureLod(sampler2D(images[0], how), centre, 2);
    vec4 b = textureLod(sampler2D(images[1], how), centre, 1);
    imageStore(to, at, imageLoad(to, at) + a * b * texelFetch(table, at.x % 4));
}
