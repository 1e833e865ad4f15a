#!/bin/sh
# run.sh TEST: one consumer test. Environment: CMAKE, BUILD (a finished build), SOURCE, LIBDIR (of an
# installed tree, "lib/..."), CC, CXX, GENERATOR, TYPE and WERROR (what BUILD was configured with).
set -eu

test=$1
here=$SOURCE/tests/consumer
work=$BUILD/consumer/$test
prefix=$work/moved
warnings="-Wall -Wextra -Wpedantic -Werror"
rm -rf "$work"
mkdir -p "$work"
cd "$work"

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

# Installs, and then moves the tree: nothing may depend on where it was installed to.
install_tree() {
    "$CMAKE" --install "$BUILD" --prefix "$work/tree" >install.log
    mv "$work/tree" "$prefix"
}

# configure_ours ARGUMENT...: configures a build of our sources with the flags of BUILD, which takes objects from there.
configure_ours() {
    sed -n 's/^ *"command": "\(.*\)",$/\1/p' "$BUILD/compile_commands.json" | tr -s ' ' >"$work/commands"
    launcher="sh;$here/compile.sh;$work/commands;$BUILD"
    "$CMAKE" "$@" -G "$GENERATOR" -DCMAKE_BUILD_TYPE="$TYPE" -DREPRISE_WERROR="$WERROR" -DCMAKE_C_COMPILER="$CC" \
        -DCMAKE_CXX_COMPILER="$CXX" -DCMAKE_C_COMPILER_LAUNCHER="$launcher" -DCMAKE_CXX_COMPILER_LAUNCHER="$launcher"
}

# The consumer's own build folder holds no trace of our build folder, so a program that runs was linked
# with the installed libraries.
run_consumers() {
    LD_LIBRARY_PATH=${2:-} "$1/compile-plan" plan.rplan
    LD_LIBRARY_PATH=${2:-} "$1/open-plan" plan.rplan
    LD_LIBRARY_PATH=${2:-} "$1/read-weights" w.safetensors
    LD_LIBRARY_PATH=${2:-} "$1/from-cpp"
}

check_tree() {
    install_tree
    cd "$prefix"
    for file in bin/reprise "$LIBDIR/libreprise.so" "$LIBDIR/libreprise-runtime.so" \
        "$LIBDIR/cmake/reprise/reprise-config.cmake" \
        "$LIBDIR/cmake/reprise/reprise-config-version.cmake" \
        "$LIBDIR/libreprise-weights.so" "$LIBDIR/pkgconfig/reprise.pc" \
        "$LIBDIR/pkgconfig/reprise-runtime.pc" "$LIBDIR/pkgconfig/reprise-weights.pc" \
        share/man/man1/reprise.1; do
        [ -e "$file" ] || fail "not installed: $file"
    done
    # All public headers, and nothing else.
    (cd include/reprise && ls) >"$work/have"
    (cd "$SOURCE" && ls -- */include/reprise/*.h) | sed 's,.*/,,' | sort >"$work/want"
    diff "$work/want" "$work/have" || fail "headers differ"
    # The pages that headers speak of, and what pages and READMEs link to: there as in the source tree.
    doc=share/doc/reprise
    grep -ohE 'docs/[a-z-]+\.md' include/reprise/*.h | sort -u >"$work/pages"
    [ -s "$work/pages" ] || fail "no header speaks of a page"
    while read -r page; do
        [ -s "$doc/$page" ] || fail "a header speaks of $page, which is not installed"
    done <"$work/pages"
    find "$doc" -name '*.md' | while read -r page; do
        grep -oE '\]\([^)#: ]+' "$page" | sed 's,^](,,' | while read -r link; do
            [ -e "$(dirname "$page")/$link" ] ||
                fail "$page links to $link, which is not installed"
            echo "$page" >>"$work/links"
        done
    done
    [ "$(wc -l <"$work/links")" -gt 50 ] || fail "no page links to another"
    [ -z "$(find . -name __pycache__)" ] || fail "what Python made of sources is installed"
    # Each example is in the list of them.
    for example in "$doc"/examples/*/; do
        example=$(basename "$example")
        grep -qF "[$example]($example)" "$doc/examples/README.md" || fail "examples/README.md lacks $example"
    done
    # Text files and libraries must not name the folders they were built in.
    if grep -rlI -e "$BUILD" -e "$work/tree" . ; then fail "a file names a build folder"; fi
    for file in bin/reprise "$LIBDIR"/libreprise*.so; do
        if readelf -d "$file" | grep -E 'RPATH|RUNPATH' | grep -F "$BUILD"; then
            fail "$file looks for libraries in the build folder"
        fi
    done
    ./bin/reprise --version | grep -q '[0-9]\.[0-9]' || fail "the program does not run"
}

# Each header alone, as C17, C++11 and C++20.
check_headers() {
    install_tree
    for header in "$prefix"/include/reprise/*.h; do
        name=$(basename "$header")
        printf '#include <reprise/%s>\n#include <reprise/%s>\n' "$name" "$name" >one.h
        # shellcheck disable=SC2086
        "$CC" -std=c17 -x c -fsyntax-only $warnings -I "$prefix/include" one.h ||
            fail "$name as C"
        for std in c++11 c++20; do
            # shellcheck disable=SC2086
            "$CXX" -std=$std -x c++ -fsyntax-only $warnings -I "$prefix/include" one.h ||
                fail "$name as $std"
        done
    done
}

# Exports are what the headers declare, and the runtime needs libc alone.
check_symbols() {
    install_tree
    lib=$prefix/$LIBDIR
    for library in libreprise libreprise-runtime libreprise-weights; do
        nm -D --defined-only "$lib/$library.so" | awk '{ print $3 }' >"$library.symbols"
        if grep -v '^rp_' "$library.symbols"; then fail "$library exports more than rp_ symbols"; fi
    done
    # A function, or a constant, is what RP_API stands in front of, on the same line or the one above.
    grep -hv '^#' "$prefix"/include/reprise/*.h | tr '\n' ' ' | grep -o 'RP_API [^;{]*' |
        sed -E 's/^RP_API ([^(]*[ *])?(rp_[a-z0-9_]+)(\(.*)?$/\2/' | sort -u >declared
    sort -u libreprise*.symbols >exported
    diff declared exported || fail "declared (<) and exported (>) functions differ"
    if sort libreprise*.symbols | uniq -d | grep .; then
        fail "two libraries export these"
    fi
    readelf -d "$lib/libreprise-runtime.so" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' >needed
    if grep -v -E '^(libc|libm|libdl|libpthread|ld-linux.*)\.so' needed; then
        fail "the runtime links more than libc"
    fi
}

check_find_package() {
    install_tree
    "$CMAKE" -S "$here/find_package" -B build -G "$GENERATOR" \
        -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$CC" -DCMAKE_CXX_COMPILER="$CXX" >cmake.log
    "$CMAKE" --build build >build.log || { cat build.log; fail "the project does not build"; }
    run_consumers build
    if "$CMAKE" -S "$here/find_package" -B wrong -G "$GENERATOR" -DREPRISE_WANTED=99.0 \
        -DCMAKE_PREFIX_PATH="$prefix" >wrong.log 2>&1; then
        fail "version 99 was found"
    fi
}

check_pkg_config() {
    install_tree
    PKG_CONFIG_PATH=$prefix/$LIBDIR/pkgconfig
    export PKG_CONFIG_PATH
    mkdir bin
    # shellcheck disable=SC2046,SC2086
    "$CC" -std=c17 $warnings $(pkg-config --cflags reprise) "$here/compile-plan.c" \
        $(pkg-config --libs reprise) -o bin/compile-plan
    # shellcheck disable=SC2046,SC2086
    "$CC" -std=c17 $warnings $(pkg-config --cflags reprise-runtime) "$here/open-plan.c" \
        $(pkg-config --libs reprise-runtime) -o bin/open-plan
    # shellcheck disable=SC2046,SC2086
    "$CC" -std=c17 $warnings $(pkg-config --cflags reprise-weights) "$here/read-weights.c" \
        $(pkg-config --libs reprise-weights) -o bin/read-weights
    # shellcheck disable=SC2046,SC2086
    "$CXX" -std=c++11 $warnings $(pkg-config --cflags reprise) "$here/from-cpp.cpp" \
        $(pkg-config --libs reprise) -o bin/from-cpp
    run_consumers bin "$prefix/$LIBDIR"
}

# The program in the documentation of the C interface.
check_documentation() {
    install_tree
    PKG_CONFIG_PATH=$prefix/$LIBDIR/pkgconfig
    export PKG_CONFIG_PATH
    awk '/^```c$/ { on = 1; next } /^```$/ { on = 0 } on' "$SOURCE/docs/c-api.md" >example.c
    grep -q 'int main' example.c || fail "docs/c-api.md holds no program"
    # shellcheck disable=SC2046,SC2086
    "$CC" -std=c17 $warnings $(pkg-config --cflags reprise reprise-weights) example.c \
        $(pkg-config --libs reprise reprise-weights) -o example
    LD_LIBRARY_PATH=$prefix/$LIBDIR ./example
    "$prefix/bin/reprise" show example.rplan | grep -q 'graph example' || fail "no plan was saved"
}

check_subdirectory() {
    configure_ours -S "$here/subdirectory" -B build -DREPRISE_SOURCE="$SOURCE" >cmake.log
    "$CMAKE" --build build --parallel 2 >build.log ||
        { tail -50 build.log; fail "the project does not build"; }
    run_consumers build
    # A project that adds Reprise gets neither its tests nor its install rules.
    if grep -q consumer.subdirectory build/CTestTestfile.cmake 2>/dev/null; then
        fail "our tests became those of the project"
    fi
}

# expect_refused MESSAGE LOG: the configuration whose output is LOG failed, and said so.
expect_refused() {
    tr -s ' \n' ' ' <"$2" | grep -q "$1" || { cat "$2"; fail "not said: $1"; }
}

# ./dev demo installs no packages that only tests need: it must not configure what looks for them.
check_demo() {
    configure_ours -S "$SOURCE" -B demo -DREPRISE_TESTS=OFF >cmake.log 2>&1 ||
        { cat cmake.log; fail "it does not configure without its tests"; }
    if grep -E '^REPRISE_(CUNIT|PYTHON|NUMPY)' demo/CMakeCache.txt; then
        fail "what only tests need is looked for without them"
    fi
    grep -qF 'configure release -DREPRISE_TESTS=OFF' "$SOURCE/dev" || fail "./dev demo configures the tests"
}

# The runtime by itself, on a machine without a C++ compiler; and what its package offers.
check_runtime_alone() {
    # Shadowing g++ in PATH is not enough: CMake finds it beside gcc.
    CXX=$work/no-such-compiler
    export CXX
    configure_ours -S "$SOURCE" -B runtime -DREPRISE_COMPILER=OFF \
        >cmake.log 2>&1 || { cat cmake.log; fail "the runtime does not configure alone"; }
    "$CMAKE" --build runtime >build.log 2>&1 || { cat build.log; fail "it does not build alone"; }
    "$CMAKE" --install runtime --prefix "$prefix" >install.log
    [ ! -e "$prefix/$LIBDIR/libreprise.so" ] || fail "the compiler was installed"

    find_components() {
        "$CMAKE" -S "$here/components" -B "$1" -G "$GENERATOR" -DCMAKE_PREFIX_PATH="$prefix" \
            -DCMAKE_C_COMPILER="$CC" -DREPRISE_COMPONENTS="$2" >"$1.log" 2>&1
    }
    find_components found runtime || { cat found.log; fail "component runtime is not found"; }
    "$CMAKE" --build found >found-build.log || fail "the consumer does not build"
    if find_components absent compiler; then fail "component compiler was found"; fi
    expect_refused "no component 'compiler': it has runtime" absent.log
    if find_components unknown "runtime;nonsense"; then fail "component nonsense was found"; fi
    expect_refused "no component 'nonsense': it has runtime" unknown.log

    # A plan from the whole library, opened by the runtime alone.
    "$CMAKE" --install "$BUILD" --prefix "$work/whole" >install-whole.log
    whole=$work/whole/$LIBDIR
    # shellcheck disable=SC2046
    "$CC" -std=c17 $(PKG_CONFIG_PATH=$whole/pkgconfig pkg-config --cflags reprise) \
        "$here/compile-plan.c" $(PKG_CONFIG_PATH=$whole/pkgconfig pkg-config --libs reprise) \
        -o compile-plan
    LD_LIBRARY_PATH=$whole ./compile-plan plan.rplan
    ./found/open-plan plan.rplan
}

# Static libraries, through CMake and pkg-config: the programs then need no library of ours.
check_static() {
    configure_ours -S "$SOURCE" -B static -DBUILD_SHARED_LIBS=OFF -DREPRISE_TESTS=OFF -DREPRISE_EXAMPLES=OFF \
        >cmake.log 2>&1 || { cat cmake.log; fail "not configured"; }
    "$CMAKE" --build static --parallel 2 >build.log 2>&1 ||
        { tail -50 build.log; fail "static libraries do not build"; }
    "$CMAKE" --install static --prefix "$work/tree" >install.log
    mv "$work/tree" "$prefix"
    [ -e "$prefix/$LIBDIR/libreprise-runtime.a" ] || fail "no static library was installed"
    [ ! -e "$prefix/$LIBDIR/libreprise.so" ] || fail "a shared library was installed"
    "$prefix/bin/reprise" --version | grep -q '[0-9]\.[0-9]' || fail "the program does not run"

    "$CMAKE" -S "$here/find_package" -B build -G "$GENERATOR" -DCMAKE_PREFIX_PATH="$prefix" \
        -DCMAKE_C_COMPILER="$CC" -DCMAKE_CXX_COMPILER="$CXX" >find.log 2>&1 ||
        { cat find.log; fail "the package is not found"; }
    "$CMAKE" --build build >find-build.log || { cat find-build.log; fail "CMake does not link"; }
    run_consumers build

    PKG_CONFIG_PATH=$prefix/$LIBDIR/pkgconfig
    export PKG_CONFIG_PATH
    mkdir bin
    for program in compile-plan:reprise open-plan:reprise-runtime read-weights:reprise-weights; do
        # shellcheck disable=SC2046,SC2086
        "$CC" -std=c17 $warnings $(pkg-config --cflags ${program#*:}) "$here/${program%:*}.c" \
            $(pkg-config --static --libs ${program#*:}) -o "bin/${program%:*}"
    done
    # shellcheck disable=SC2046,SC2086
    "$CXX" -std=c++11 $warnings $(pkg-config --cflags reprise) "$here/from-cpp.cpp" \
        $(pkg-config --static --libs reprise) -o bin/from-cpp
    run_consumers bin
    if readelf -d bin/compile-plan build/compile-plan | grep -F libreprise; then
        fail "a shared library of ours is needed"
    fi
}

case $test in
tree) check_tree ;;
headers) check_headers ;;
symbols) check_symbols ;;
find-package) check_find_package ;;
pkg-config) check_pkg_config ;;
subdirectory) check_subdirectory ;;
documentation) check_documentation ;;
demo) check_demo ;;
runtime-alone) check_runtime_alone ;;
static) check_static ;;
*) fail "no test '$test'" ;;
esac
cd "$BUILD" && rm -rf "$work"
