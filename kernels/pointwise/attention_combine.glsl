// Element i of the joined parts: each part's sum of values was relative to its own maximum, here
// they become relative to the greatest.
float VALUE(uint i) {
    uint head = i / D;
    float most = uintBitsToFloat(0xff800000u); // -inf
    for (uint p = 0u; p < P; p++)
        if (sums(p * H + head) != 0.0) most = max(most, maxima(p * H + head));
    precise float total = 0.0;
    precise float weighted = 0.0;
    for (uint p = 0u; p < P; p++) {
        float sum = sums(p * H + head);
        if (sum == 0.0) continue;
        precise float factor = exp(maxima(p * H + head) - most);
        total += factor * sum;
        weighted += factor * partial(p * H * D + i);
    }
    precise float mean = total == 0.0 ? 0.0 : f_div(weighted, total);
    return mean;
}
