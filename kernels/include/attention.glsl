// What the ways of attending share.

// The score of what is left out: -inf.
float attention_none() {
    return uintBitsToFloat(0xff800000u);
}

// cap * tanh(score / cap), by what cannot overflow.
float attention_capped(float score, float cap) {
    precise float e = exp(-2.0 * abs(score / cap));
    precise float result = sign(score) * cap * (1.0 - e) / (1.0 + e);
    return result;
}

// exp(score - high), 0 where that is next to nothing, also for a score of -inf.
float attention_weight(float score, float high) {
    return score - high < -104.0 ? 0.0 : exp(score - high);
}

// A sink is a score without a row: what sums are worth beside it, and its own weight.
vec2 attention_sink(float most, float sink) {
    float high = max(most, sink);
    return vec2(attention_weight(most, high), attention_weight(sink, high));
}

// A number of rows or tokens; below 0 is none.
uint to_count(int number) {
    return uint(max(number, 0));
}

uint to_count(uint number) {
    return number;
}

uint add_up_to_most(uint a, uint b) {
    return a + min(b, ~a);
}
