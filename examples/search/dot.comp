#version 450
// product[l][r] = left row l . right row r. One invocation a product.
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) readonly buffer Left { vec4 v[]; } left;
layout(set = 0, binding = 1) readonly buffer Right { vec4 v[]; } right;
layout(set = 0, binding = 2) writeonly buffer Product { float v[]; } product;
layout(push_constant) uniform Push { uint right_rows; uint columns; } push;

void main() {
    uint r = gl_GlobalInvocationID.x, l = gl_GlobalInvocationID.y, quads = push.columns / 4;
    if (r >= push.right_rows) return;
    vec4 sum = vec4(0.0);
    for (uint c = 0; c < quads; c++) sum += left.v[l * quads + c] * right.v[r * quads + c];
    product.v[l * push.right_rows + r] = sum.x + sum.y + sum.z + sum.w;
}
