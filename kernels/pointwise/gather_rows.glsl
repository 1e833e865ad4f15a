// Element i of the gathered rows. A negative id is a large uint, so one comparison finds both ends.
out_CLASS VALUE(uint i) {
    uint row = to_row(ids(i / C));
    return row < N ? table(row * C + i % C) : out_CLASS(0);
}
