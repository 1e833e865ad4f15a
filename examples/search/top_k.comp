#version 450
// The largest `best` scores of each row, in descending order; equal scores by ascending index. One
// workgroup a row: each round finds the largest entry that comes after the one found before, so the
// scores need not be marked or moved.
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) readonly buffer Score { float v[]; } score;
layout(set = 0, binding = 1) writeonly buffer BestIndex { uint v[]; } best_index;
layout(set = 0, binding = 2) writeonly buffer BestScore { float v[]; } best_score;
layout(push_constant) uniform Push { uint count; uint best; } push;

shared float value[64];
shared uint place[64];

// Whether (v, i) comes before (w, j) in the result.
bool before(float v, uint i, float w, uint j) { return v > w || (v == w && i < j); }

void main() {
    uint row = gl_WorkGroupID.x, lane = gl_LocalInvocationID.x;
    float last_value = 3.0e38;
    uint last_place = 0;
    for (uint round = 0; round < push.best; round++) {
        float v = -3.0e38;
        uint at = 0xffffffffu;
        for (uint i = lane; i < push.count; i += 64) {
            float s = score.v[row * push.count + i];
            bool open = round == 0 || before(last_value, last_place, s, i);
            if (open && before(s, i, v, at)) {
                v = s;
                at = i;
            }
        }
        value[lane] = v;
        place[lane] = at;
        barrier();
        for (uint half_count = 32; half_count > 0; half_count /= 2) {
            if (lane < half_count && before(value[lane + half_count], place[lane + half_count],
                                            value[lane], place[lane])) {
                value[lane] = value[lane + half_count];
                place[lane] = place[lane + half_count];
            }
            barrier();
        }
        last_value = value[0];
        last_place = place[0];
        if (lane == 0) {
            best_index.v[row * push.best + round] = last_place;
            best_score.v[row * push.best + round] = last_value;
        }
        barrier();
    }
}
