// By shared memory each lane gets the blocks of its columns, which no load wider than 4 bytes finds.
[[unroll]] for (uint n = 0u; n < VALUE_LOADS; n++) {
    uint at = n * MATVEC_COLUMN_LANES + matvec_lane;
    if ((n + 1u) * MATVEC_COLUMN_LANES <= VALUE_CHUNK || at < VALUE_CHUNK)
        matvec_tile[gl_SubgroupID * VALUE_CHUNK + at] = uintBitsToFloat(raws[n]);
}
subgroupMemoryBarrierShared();
subgroupBarrier();
