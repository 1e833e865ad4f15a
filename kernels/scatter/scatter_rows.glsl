// Where element i of the rows goes. A negative index is a large uint: nowhere.
uint VALUE(uint i) {
    uint row = to_row(index(i / C));
    return row < N ? row * C + i % C : 0xffffffffu;
}
