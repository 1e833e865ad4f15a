// The application's own pass behind the plans: a point for each vertex.
#version 450
layout(location = 0) in vec2 position;

void main() {
    gl_Position = vec4(position, 0.0, 1.0);
    gl_PointSize = 1.0;
}
