#version 450
// product[l][r] = left row l . right row r, of the rows' unit vectors. An invocation has one right
// row and four left ones, so that it reads its own once.
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) readonly buffer Left { vec4 v[]; } left;
layout(set = 0, binding = 1) readonly buffer LeftScale { float v[]; } left_scale;
layout(set = 0, binding = 2) readonly buffer Right { vec4 v[]; } right;
layout(set = 0, binding = 3) readonly buffer RightScale { float v[]; } right_scale;
layout(set = 0, binding = 4) writeonly buffer Product { float v[]; } product;
layout(push_constant) uniform Push { uint left_rows; uint right_rows; uint columns; } push;

void main() {
    uint r = gl_GlobalInvocationID.x, first = gl_WorkGroupID.y * 4, quads = push.columns / 4;
    if (r >= push.right_rows) return;
    // A row past the last is the last one again, whose product is not stored twice.
    uvec4 l = min(first + uvec4(0, 1, 2, 3), uvec4(push.left_rows - 1)) * quads;
    vec4 sum[4] = vec4[](vec4(0.0), vec4(0.0), vec4(0.0), vec4(0.0));
    for (uint c = 0; c < quads; c++) {
        vec4 x = right.v[r * quads + c];
        sum[0] += left.v[l.x + c] * x;
        sum[1] += left.v[l.y + c] * x;
        sum[2] += left.v[l.z + c] * x;
        sum[3] += left.v[l.w + c] * x;
    }
    for (uint i = 0; i < 4 && first + i < push.left_rows; i++)
        product.v[(first + i) * push.right_rows + r] =
            dot(sum[i], vec4(1.0)) * left_scale.v[first + i] * right_scale.v[r];
}
