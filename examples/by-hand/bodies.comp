#version 450
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) readonly buffer Place { vec4 body[]; } place; // w: mass
layout(set = 0, binding = 1) readonly buffer Velocity { vec4 body[]; } velocity;
layout(set = 0, binding = 2) writeonly buffer NewPlace { vec4 body[]; } new_place;
layout(set = 0, binding = 3) writeonly buffer NewVelocity { vec4 body[]; } new_velocity;
layout(push_constant) uniform Push { uint count; float dt; float soft; } push;
void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i >= push.count) return;
    vec4 here = place.body[i];
    vec3 force = vec3(0);
    for (uint k = 0u; k < push.count; k++) {
        vec4 other = place.body[k];
        vec3 d = other.xyz - here.xyz;
        float r = inversesqrt(dot(d, d) + push.soft);
        force += other.w * r * r * r * d;
    }
    vec3 v = velocity.body[i].xyz + push.dt * force;
    new_velocity.body[i] = vec4(v, 0);
    new_place.body[i] = vec4(here.xyz + push.dt * v, here.w);
}
