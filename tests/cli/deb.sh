#!/bin/sh
# deb.sh SOURCE BUILD WORK: makes the Debian package from BUILD, unpacks it into WORK, and runs what is in it.
set -eu
source=$1 build=$2 work=$3
rm -rf "$work"
mkdir -p "$work"
cd "$build"
cpack -B "$work" >"$work/cpack.log" || { cat "$work/cpack.log"; exit 1; }
cd "$work"
dpkg-deb --extract reprise_*.deb root
dpkg-deb --field reprise_*.deb Depends | grep -F libvulkan1
dpkg-deb --field reprise_*.deb Depends | grep -F libyaml-0-2
dpkg-deb --field reprise_*.deb Depends | grep -F libjansson4
dpkg-deb --field reprise_*.deb Recommends | grep -Fx mesa-vulkan-drivers
root/usr/bin/reprise --version
root/usr/bin/reprise run "$source/examples/own-shaders/standardise.yaml" -o y=y.npy
for file in y.npy root/usr/share/man/man1/reprise.1 root/usr/share/bash-completion/completions/reprise \
    root/usr/include/reprise/runtime.h root/usr/share/doc/reprise/docs/c-api.md; do
    test -s "$file" || { echo "$file is missing"; exit 1; }
done
# The program uses the libraries it came with, not those of the build.
ldd root/usr/bin/reprise | grep libreprise | grep -qv "$work" && {
    ldd root/usr/bin/reprise
    exit 1
}
echo "the package installs and runs"
