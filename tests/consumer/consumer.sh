#!/bin/sh
# consumer.sh WAY SOURCE BUILD WORK: installs BUILD into a fresh folder and uses it from outside the tree.
set -eu
way=$1 source=$2 build=$3 work=$4
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$work"
mkdir -p "$work"
cd "$work"

# What every way ends with: a program that compiles and replays, and one that only replays.
run_programs() {
    "$1/hello" "$work/hello.rplan" | grep -F ': 0 of 4096 values wrong'
    "$1/replay-only" "$work/hello.rplan" | grep -F 'y = 1 3 5 7 9 '
    needed=$(readelf -d "$1/replay-only" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort | paste -sd ' ')
    test "$needed" = "libc.so.6 libreprise-runtime.so.0" || {
        echo "replay-only needs: $needed"
        exit 1
    }
    "$1/headers"
}

install_tree() {
    "$CMAKE" --install "$build" --prefix "$work/prefix" >install.log
    # Relocatable: nothing may depend on where it was installed first.
    mv "$work/prefix" "$work/moved"
    prefix=$work/moved
}

case $way in
find_package)
    install_tree
    "$CMAKE" -S "$here/project" -B build -G Ninja -DREPRISE_SOURCE="$source" -DCMAKE_PREFIX_PATH="$prefix"
    "$CMAKE" --build build
    run_programs build
    ;;
pkg_config)
    install_tree
    PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name reprise.pc)")
    export PKG_CONFIG_PATH
    libdir=$(pkg-config --variable=libdir reprise)
    # shellcheck disable=SC2046 # flags are words
    {
        "$CC" -o hello "$source/examples/hello/hello.c" $(pkg-config --cflags --libs reprise) \
            -Wl,-rpath,"$libdir"
        "$CC" -o replay-only "$source/examples/replay-only/replay_only.c" \
            $(pkg-config --cflags --libs reprise-runtime) -Wl,-rpath,"$libdir"
        "$CXX" -Wall -Wextra -Werror -pedantic -o headers "$here/project/headers.cpp" \
            $(pkg-config --cflags --libs reprise) -Wl,-rpath,"$libdir"
        # Every header stands alone, in strict C too.
        for header in "$prefix"/include/reprise/*.h; do
            echo "#include <reprise/$(basename "$header")>" |
                "$CC" -std=c17 -pedantic -Wall -Wextra -Werror $(pkg-config --cflags reprise) \
                    -fsyntax-only -x c -
        done
    }
    run_programs .
    ;;
add_subdirectory)
    # The whole of it configures; the runtime alone, which needs libc and Vulkan headers, is built too.
    "$CMAKE" -S "$here/project" -B whole -G Ninja -DREPRISE_SOURCE="$source" -DSUBDIRECTORY=ON
    "$CMAKE" -S "$here/project" -B build -G Ninja -DREPRISE_SOURCE="$source" -DSUBDIRECTORY=ON \
        -DREPRISE_COMPILER=OFF
    "$CMAKE" --build build
    if "$CMAKE" --build build --target help | grep -E '^(install_reprise|package|test_)'; then
        echo "targets of a top-level build leak into the consumer"
        exit 1
    fi
    ! build/replay-only "$source/README.md" 2>error.txt
    grep -F 'README.md: error:' error.txt
    ;;
deb)
    command -v dpkg-shlibdeps >/dev/null || { echo "dpkg-dev is missing"; exit 1; }
    (cd "$build" && "$CMAKE" -E env cpack -B "$work" >"$work/cpack.log")
    dpkg-deb --extract reprise_*.deb root
    dpkg-deb --field reprise_*.deb Depends | grep -F libvulkan1
    dpkg-deb --field reprise_*.deb Depends | grep -F libyaml-0-2
    dpkg-deb --field reprise_*.deb Recommends | grep -Fx mesa-vulkan-drivers
    root/usr/bin/reprise --version
    root/usr/bin/reprise run "$source/examples/own-shaders/standardise.yaml" -o y=y.npy
    test -s y.npy
    for file in usr/share/man/man1/reprise.1 usr/share/bash-completion/completions/reprise; do
        test -s "root/$file"
    done
    ;;
esac
