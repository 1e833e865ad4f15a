// Where element i of the gathered rows is. A negative id is a large uint, so one comparison finds both ends.
uint VALUE_from(uint i) {
    uint row = to_row(ids(i / C));
    return row < N ? row * C + i % C : 0xffffffffu;
}

out_CLASS VALUE(uint i) {
    uint at = VALUE_from(i);
    return at != 0xffffffffu ? table(at) : out_CLASS(0);
}
