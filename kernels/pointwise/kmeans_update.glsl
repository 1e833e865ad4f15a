// The mean of a cluster's members; one without any keeps its centroid.
float VALUE(uint i) {
    uint members = counts(i / D);
    precise float mean = f_quotient(sums(i), float(max(members, 1u)));
    return members > 0u ? mean : centroids(i);
}
