#version 450
// Each kind of binding beside buffers; images.spv is this, by glslangValidator -V --target-env vulkan1.2.
layout(local_size_x = 8, local_size_y = 8) in;
layout(binding = 0) uniform sampler2D from;
layout(binding = 1) uniform texture2DArray layers;
layout(binding = 2) uniform sampler how[2];
layout(binding = 3) uniform samplerBuffer table;
layout(binding = 4, r32ui) uniform uimageBuffer counts;
layout(binding = 5, rgba16f) writeonly uniform image2D to[2];
layout(binding = 6) uniform Look { vec4 tint; } look;

void main() {
    ivec2 at = ivec2(gl_GlobalInvocationID.xy);
    vec2 place = (vec2(at) + 0.5) / 8;
    vec4 sum = look.tint * textureLod(from, place, 0);
    sum += textureLod(sampler2DArray(layers, how[0]), vec3(place, 1), 0);
    sum += textureLod(sampler2DArray(layers, how[1]), vec3(place, 0), 0);
    sum += texelFetch(table, at.x);
    imageAtomicAdd(counts, at.y, 1u);
    imageStore(to[0], at, sum);
    imageStore(to[1], at, -sum);
}
