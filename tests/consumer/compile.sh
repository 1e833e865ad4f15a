#!/bin/sh
# compile.sh COMMANDS BUILD COMPILER ARGUMENT...: what builds of ours launch in place of COMPILER. Where BUILD has made
# the same object by the same command (a line of COMMANDS), it is taken from there: how libraries are put together is
# looked at, and compiling them would take a minute.
commands=$1 build=$2
shift 2
here=$PWD object='' depfile='' command='' before=''
[ -d "$PWD/reprise" ] && here=$PWD/reprise # of a project that adds ours
for word; do
    case $before in
    -o) object=$word word=${word#reprise/} ;;
    -MF) depfile=$word ;;
    esac
    case $before$word in
    -MT* | -MF* | *-MD | *-MT | *-MF) ;;
    *) command="$command $word" ;;
    esac
    before=$word
done
own=$build/${object#reprise/} source=$before
if [ -n "$depfile" ] && [ "$own" -nt "$source" ] &&
    printf '%s\n' "${command# }" | sed "s,$here/,$build/,g" | grep -qxFf - "$commands"; then
    cp "$own" "$object" && echo "$object: $source" >"$depfile" && exit
fi
exec "$@"
