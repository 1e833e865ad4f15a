// scale.spv, which the YAML corpus uses, is this file: glslc --target-env=vulkan1.2 -O scale.comp
#version 450
layout(constant_id = 3) const uint WIDTH = 64;
layout(local_size_x_id = 3) in;
layout(set = 0, binding = 0) readonly buffer In { float value[]; } x;
layout(set = 0, binding = 1) writeonly buffer Out { float value[]; } y;
layout(set = 1, binding = 0) uniform Live { uint count; } live;
layout(push_constant) uniform Push { uint count; float factor; } push;
void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i < min(push.count, live.count)) y.value[i] = push.factor * x.value[i];
}
