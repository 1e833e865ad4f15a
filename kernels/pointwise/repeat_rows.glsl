// Element i of rows of C that each come T times.
out_CLASS VALUE(uint i) {
    return x(i / (T * C) * C + i % C);
}
