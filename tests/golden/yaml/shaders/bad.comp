#version 450
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer X { float v[]; } x;
void main() {
    x.v[0] = nothing;
}
