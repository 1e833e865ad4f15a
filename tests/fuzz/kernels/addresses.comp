#version 460
// Addresses in a block, push data, and arrays without a size; addresses.spv is this, by
// glslangValidator -V --target-env vulkan1.2.
#extension GL_EXT_nonuniform_qualifier : require
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference_uvec2 : require
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
layout(local_size_x = 64) in;
layout(buffer_reference, std430) readonly buffer Numbers { uint v[]; };
struct Part { uvec2 at; uint scale; };
layout(binding = 0) buffer Y { uint y[]; };
layout(binding = 3) uniform Scene { Numbers a; vec3 tint; uint64_t b; Part parts[2]; uint count; } scene;
layout(binding = 5) uniform Other { uint k[4]; } other;
layout(binding = 6) uniform sampler2D images[];
layout(push_constant) uniform P { uint skip, more; } p;
void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i >= scene.count) return;
    uint sum = scene.a.v[i] + Numbers(scene.b).v[i] * uint(scene.tint.y);
    for (uint p = 0; p < 2; p++) sum += Numbers(scene.parts[p].at).v[i] * scene.parts[p].scale;
    sum += uint(texelFetch(images[i % 2], ivec2(0), 0).x);
    if (i >= p.skip) y[i] += p.more + sum * other.k[i % 4];
}
