#version 450
// From light to bytes: adds the glow, brings any brightness below 1, and encodes it as sRGB does.
layout(local_size_x = 16, local_size_y = 8) in;
layout(binding = 0) uniform sampler2D photo;
layout(binding = 1) uniform sampler2D glow;
layout(binding = 2) uniform Look { float exposure, glare; } look;
layout(binding = 3, rgba8) writeonly uniform image2D picture;
layout(push_constant) uniform Push { int levels; } push;

// Narkowicz's fit of the curve that films are graded with (ACES).
vec3 film(vec3 light) {
    return clamp(light * (2.51 * light + 0.03) / (light * (2.43 * light + 0.59) + 0.14), 0, 1);
}

// An image of format rgba8 keeps what is stored: the sRGB curve of IEC 61966-2-1 is applied here.
vec3 srgb(vec3 linear) {
    vec3 low = 12.92 * linear, high = 1.055 * pow(linear, vec3(1 / 2.4)) - 0.055;
    return mix(high, low, lessThanEqual(linear, vec3(0.0031308)));
}

void main() {
    ivec2 here = ivec2(gl_GlobalInvocationID.xy), size = imageSize(picture);
    if (any(greaterThanEqual(here, size))) return;
    vec2 place = (vec2(here) + 0.5) / vec2(size);
    vec3 light = textureLod(photo, place, 0).rgb, around = vec3(0);
    for (int level = 0; level < push.levels; level++) around += textureLod(glow, place, level).rgb;
    light = look.exposure * mix(light, around / push.levels, look.glare);
    imageStore(picture, here, vec4(srgb(film(light)), 1));
}
