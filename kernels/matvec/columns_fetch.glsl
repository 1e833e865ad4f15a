// The loads of a lane of the next rows, 16 bytes each, one lane behind the other as they lie in a row.
[[unroll]] for (uint n = 0u; n < VALUE_LOADS; n++) {
    uint begin = n * MATVEC_COLUMN_LANES, r = begin / VALUE_PART, at = begin - r * VALUE_PART + matvec_lane;
    uint row = rows[r];
    if (begin + MATVEC_COLUMN_LANES > (r + 1u) * VALUE_PART) { // some lanes are in the row behind it
        bool behind = at >= VALUE_PART;
        if (r + 1u < VALUE_ROWS) row = behind ? rows[r + 1u] : row;
        at = behind ? (r + 1u < VALUE_ROWS ? at - VALUE_PART : VALUE_PART - 1u) : at;
    }
    at += part * VALUE_PART;
    if (MATVEC_PARTS * VALUE_PART > VALUE_WORDS) at = min(at, VALUE_WORDS - 1u);
    raws[n] = VALUE_weight(row * VALUE_WORDS + at);
}
