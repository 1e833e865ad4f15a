// Element i of rows of C that each come T times.
uint VALUE_from(uint i) {
    return i / (T * C) * C + i % C;
}

out_CLASS VALUE(uint i) {
    return x(VALUE_from(i));
}
