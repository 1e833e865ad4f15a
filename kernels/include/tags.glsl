// Words of tagged buffers: an element's 32 bits, and above them the tag of the replay that stored it.
// `replay_tag` is that of this replay, `stall` the word of the replay that is set by who gave up.

// Whether to give up on a word that another workgroup should have stored. Those who wait look now and
// then whether somebody else has: then nobody goes on waiting.
bool gives_up(uint spins) {
    if (spins % 512u != 511u) return false;
    if (spins >= STALL_SPINS) atomicOr(stall, 1u);
    return atomicLoad(stall, gl_ScopeDevice, gl_StorageSemanticsBuffer, gl_SemanticsRelaxed) != 0u;
}

bool is_stored(uint64_t word) {
    return uint(word >> 32) == replay_tag;
}

uint64_t tagged_word(uint bits) {
    return uint64_t(replay_tag) << 32 | uint64_t(bits);
}

bool all_stored = true; // all words that were looked at since looks_again()

// Whether what was just computed of them has to be computed again.
bool looks_again(inout uint spins) {
    bool again = !all_stored && !gives_up(spins++);
    all_stored = true;
    return again;
}
