// Windows of grids of three dimensions: the slowest in x, the neighbours in z.

// What an index counts the fastest, taken from it: a place of so many.
uvec3 take_place(inout uint i, uvec3 count) {
    uint z = i % count.z;
    i /= count.z;
    uint y = i % count.y;
    i /= count.y;
    uint x = i % count.x;
    i /= count.x;
    return uvec3(x, y, z);
}

// The same of one dimension, such as channels; 0 where it is not their turn.
uint take_one(inout uint i, uint count, bool turn) {
    if (!turn) return 0u;
    uint at = i % count;
    i /= count;
    return at;
}

// Element t of a window of so many.
uvec3 place_of(uint t, uvec3 count) {
    return uvec3(t / (count.y * count.z), t / count.z % count.y, t % count.z);
}

bool is_within(uvec3 at, uvec3 size) {
    return all(lessThan(at, size));
}

uint index_of(uvec3 at, uvec3 size) {
    return (at.x * size.y + at.y) * size.z + at.z;
}
