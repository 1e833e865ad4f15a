// A vertex for each point of the curve: a column of the picture, and the middle of a row.
#version 450
layout(local_size_x = 64) in;
layout(binding = 0) readonly buffer Smooth { float value[]; } curve;
layout(binding = 1) readonly buffer Detail { float value[]; } detail;
layout(binding = 2) readonly buffer Gain { float value; } gain;
layout(binding = 3) writeonly buffer Vertices { vec2 position[]; } vertices;
layout(push_constant) uniform Push { uint count; };

void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i >= count) return;
    float row = roundEven(20.0 * (curve.value[i] + gain.value * detail.value[i]));
    vertices.position[i] = vec2((float(i) + 0.5) / float(count) * 2.0 - 1.0, (row + 0.5) / 32.0);
}
