# Completion of reprise for bash. Options come from `reprise CMD --help`, so that they cannot go stale.
_reprise() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]:-} passes='dce rename transfers fuse lower schedule place sync'
    local commands='run profile bench compile opt show explain expand check diff devices kernels help'
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "$commands --help --version" -- "$current")
        return
    fi
    case $command:$previous in
    kernels:-f | kernels:--format)
        mapfile -t COMPREPLY < <(compgen -W 'text markdown' -- "$current")
        ;;
    profile:-f | profile:--format)
        mapfile -t COMPREPLY < <(compgen -W 'text json' -- "$current")
        ;;
    diff:-f | diff:--format)
        mapfile -t COMPREPLY < <(compgen -W 'text html inspection' -- "$current")
        ;;
    help:*) mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$current") ;;
    *:-f | *:--format | *:--dump-format)
        mapfile -t COMPREPLY < <(compgen -W 'text json dot html inspection' -- "$current")
        ;;
    *:--dump-after) mapfile -t COMPREPLY < <(compgen -W "all source $passes" -- "$current") ;;
    *:--passes) mapfile -t COMPREPLY < <(compgen -W "$passes" -- "$current") ;;
    *:--target)
        mapfile -t COMPREPLY < <(compgen -W 'portable lavapipe h200 device' -- "$current"; compgen -f -- "$current")
        compopt -o filenames 2>/dev/null
        ;;
    kernels:*)
        if ((COMP_CWORD > 2)) && [[ ${COMP_WORDS[2]} != -* ]]; then
            # Operands and attributes, which stand in tables in front of that of the kernels.
            mapfile -t COMPREPLY < <(compgen -W "--target --help --quiet $("${COMP_WORDS[0]}" kernels \
                "${COMP_WORDS[2]}" 2>/dev/null | sed -n '/^| kernel /q; s/^| [^a-z]\([a-z0-9_]*\)[^a-z] .*/\1=/p')" -- "$current")
            compopt -o nospace 2>/dev/null
        else
            mapfile -t COMPREPLY < <(compgen -W "--format --target --help --quiet $("${COMP_WORDS[0]}" kernels \
                2>/dev/null | sed -n 's/^  \([a-z0-9_]*\) .*/\1/p')" -- "$current")
        fi
        ;;
    *:--check-against) mapfile -t COMPREPLY < <(compgen -W '-O0 -O1 -O2' -- "$current") ;;
    *:-I | *:--include | *:--dump-dir) mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    *)
        if [[ $current == -* ]]; then
            local words
            words=$("${COMP_WORDS[0]}" "$command" --help 2>/dev/null |
                sed -n '/^options:/,/^$/s/^ *\(-[A-Za-z], \)\{0,1\} *\(--[a-z-]*\).*/\2/p')
            mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
        else
            mapfile -t COMPREPLY < <(compgen -f -- "${current##*=}")
            compopt -o filenames 2>/dev/null
        fi
        ;;
    esac
}
complete -F _reprise reprise
