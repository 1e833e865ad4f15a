/* Graphs for the fault tests: small, with one of everything. */
#ifndef RP_TESTS_FAULT_SAMPLES_H
#define RP_TESTS_FAULT_SAMPLES_H

__attribute__((unused)) static const char sample_source_text[] =
    "reprise 1\n"
    "graph sample {\n"
    "  buf $x in f32[8,8]\n"
    "  buf $w weight 256\n"
    "  buf $n live u32[2] = 40000000 01000000 max 64\n"
    "  buf $y out f32[64]\n"
    "  buf $z out 512\n"
    "  buf %a tmp 256\n"
    "  buf %b tmp 256\n"
    "  buf %s tmp 256\n"
    "  buf %dead tmp 512\n"
    "  buf %grid tmp 12\n"
    "  kern @scale spirv - local 64 1 1 push 4 (r, rw)\n"
    "  kern @add spirv - entry \"add_all\" local 8 8 1 shared 1024 spec 3=00000010 (u, r 0.4, w "
    "1.0)\n"
    "  kern @copy spirv - local 1 1 1 (r, w)\n"
    "  n0 = fill 00000000 (w %a) label \"layer 0\"\n"
    "  n1 = run @scale grid {ceil_div($n, 64)} {$n[1] * 2} 3 push 0000803f (r $x, rw %a) op scale\n"
    "  n2 = update 01000000 01000000 01000000 (w %grid)\n"
    "  n3 = run @add grid indirect %grid (u $w, r %a, rw %b)\n"
    "  n4 = fill ffffffff (w %dead)\n"
    "  n5 = copy (r %b, w $z[0+256])\n"
    "  n6 = run @copy grid 1 1 1 (r %a, w %s)\n"
    "  n7 = run @copy grid 1 1 1 (r %s, w $z[256+128])\n"
    "  n8 = run @copy grid 1 1 1 (r %b, w %s)\n"
    "  n9 = run @copy grid 1 1 1 (r %s[0+128], w $z[384+128])\n"
    "  n10 = fence\n"
    "  n11 = run @add grid 4 4 1 (u $n, r %b, w $y)\n"
    "}\n";

__attribute__((unused)) static const char sample_compiled_text[] =
    "reprise 1\n"
    "graph mlp scheduled placed synced arena 512 {\n"
    "  buf $x in f32[64]\n"
    "  buf $y out f32[64]\n"
    "  buf %n tmp 256 at 0\n"
    "  buf %g tmp 256 at 256\n"
    "  kern @norm spirv 9f2c1ab000000001 local 256 1 1 push 8 (r, w)\n"
    "  group 0\n"
    "    n0 = run @norm grid 1 1 1 push 00100000 acc52737 (r $x, w %n) label \"a/b\"\n"
    "    n2 = fill 00000000 (w %g[128+128])\n"
    "  barrier compute:w,transfer:w -> compute:rw\n"
    "  group 1\n"
    "    n1 = run @norm grid 1 1 1 push 00100000 00400000 (r %n, w %g[0+128])\n"
    "  barrier compute:w -> transfer:r\n"
    "  group 2\n"
    "    n5 = copy (r %g, w $y)\n"
    "  barrier transfer:w -> host:r\n"
    "}\n";

__attribute__((unused)) static const char sample_wrong_text[] =
    "reprise 1\n"
    "graph wrong {\n"
    "  buf $x in 16\n"
    "  buf $x out 0\n"
    "  kern @k spirv - local 0 1 1 (r)\n"
    "  n0 = run @k grid {$x + } 1 1 (r $nowhere)\n"
    "  n1 = run @nothing grid 1 1 1 ()\n"
    "}\n";

#endif
