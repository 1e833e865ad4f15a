// The application's own pass before the plans: this frame's curve.
#version 450
layout(local_size_x = 64) in;
layout(binding = 0) writeonly buffer Curve { float value[]; } curve;
layout(push_constant) uniform Push { uint frame; };

void main() {
    uint i = gl_GlobalInvocationID.x;
    int wave = abs(int((i + 5u * frame) % 64u) - 32); // 0 to 32
    int noise = int((7u * i + frame) % 5u) - 2;       // -2 to 2
    curve.value[i] = float(wave) / 16.0 - 1.0 + float(noise) / 8.0;
}
