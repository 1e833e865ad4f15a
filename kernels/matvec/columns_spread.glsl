float VALUE_more = subgroupAdd(VALUE_spread(row, 2u * pair, met.x, negative.x) +
                               VALUE_spread(row, 2u * pair + 1u, met.y, negative.y));
if (matvec_lane == 0u)
    matvec_results[VALUE_NUMBER * MATVEC_RESULTS + slot * MATVEC_PARTS + part] += VALUE_more;
