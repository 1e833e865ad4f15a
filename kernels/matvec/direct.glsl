// x is in memory as it is: read where it is needed, the caches do the rest.
// Elements 4 * quad to 4 * quad + 3 of row b of x.
vec4 matvec_quad(uint b, uint quad) {
    return matvec_x(b * (K / 4u) + quad);
}
