"""What completes netless in bash, zsh and fish, printed from the table. Verbs, options and choices are in the script; what only a lab or the
courses can tell is asked when the tab is pressed (``netless complete KIND BEGUN``), about the lab that the line names. Pure.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from .table import ASKED, GLOBAL, SHOWN, Option, Verb, Word


def script(shell: str) -> str:
    """The completion of one of these shells."""
    return SHELLS[shell]()


def _flags(verb: Verb | None) -> Iterable[tuple[str, Option]]:
    """The flags that may stand after a verb, those of all verbs among them."""
    return ((flag, option) for option in (*(verb.options if verb else ()), *GLOBAL) for flag in option.flags)


def _kind(part: Word | Option) -> str:
    """What follows, as the scripts know it: ``:WORDS`` are the choices, else the kind."""
    return f":{' '.join(part.choices)}" if part.choices else part.values or ""


_BASH_ZSH_WALK = r"""
    # What the line says so far: its verb, how many words of it, what the last option still wants, and the lab and lessons it names.
    local word verb='' flag='' placed=0 rest=0 kind='' offered=''
    local -a global=()
    for word in "${before[@]}"; do
        if [[ -n $flag ]]; then
            case $flag in --lab|--lessons) global+=("$flag" "$word") ;; esac
            flag=''
        elif [[ $word == -- ]]; then rest=1; break
        elif [[ $word == --*=* ]]; then
            case $word in --lab=*|--lessons=*) global+=("$word") ;; esac
        elif [[ $word == -* ]]; then
            _netless_kind "$verb" "$word"
            [[ -z $kind ]] || flag=$word
        elif [[ -z $verb ]]; then verb=$word
        else placed=$((placed + 1))
        fi
    done
    local head=''
    if [[ -n $flag ]]; then _netless_kind "$verb" "$flag"
    elif [[ $rest == 1 || ( $verb == exec && $placed -gt 0 && $current != -* ) ]]; then kind=command
    elif [[ $current == --*=* ]]; then
        head=${current%%=*}=
        _netless_kind "$verb" "${current%%=*}"
        current=${current#*=}
    elif [[ $current == -* ]]; then _netless_flags "$verb"; kind=":$offered"
    elif [[ -z $verb ]]; then _netless_flags ''; kind=verb
    else _netless_kind "$verb" "$placed"
    fi
    case $kind in
        :*) offered=${kind#:} ;;
        ASKED) offered=$("$program" "${global[@]}" complete "$kind" "$current" 2>/dev/null) ;;
    esac
""".replace("ASKED", "|".join(ASKED))


def _tables() -> str:
    """Two functions that bash and zsh share: what follows an option or stands at a place (sets ``kind``), and which options there are (``offered``)."""
    kinds = []
    for verb in SHOWN:
        kinds += [f"        {verb.name}/{at}) kind={shlex.quote(_kind(word))} ;;" for at, word in enumerate(verb.words)]
        kinds += [f"        {verb.name}/{flag}) kind={shlex.quote(_kind(option))} ;;" for option in verb.options for flag in option.flags if option.value]
    kinds += [f"        */{flag}) kind={shlex.quote(_kind(option))} ;;" for flag, option in _flags(None) if option.value]
    flags = [f"        {verb.name}) offered='{' '.join(flag for option in verb.options for flag in option.flags)}' ;;" for verb in SHOWN if verb.options]
    ours = " ".join(flag for flag, _ in _flags(None))
    return "\n".join((
        "_netless_kind() {", "    kind=''", "    case $1/$2 in", *kinds, "    esac", "}",
        "_netless_flags() {", "    offered=''", "    case $1 in", *flags, "    esac", f'    offered="$offered {ours} --help"', "}",
    ))  # fmt: skip


def _bash() -> str:
    verbs = " ".join(verb.name for verb in SHOWN)
    return f"""# netless in bash: source <(netless completions bash)
{_tables()}
_netless() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} program=${{COMP_WORDS[0]/#\\~/$HOME}}
    local -a before=("${{COMP_WORDS[@]:1:COMP_CWORD-1}}")
    # bash takes --lab=NAME apart at its =
    local last=$((${{#before[@]}} - 1))
    if [[ $current == = && $last -ge 0 ]]; then current=''
    elif [[ $last -ge 1 && ${{before[last]}} == = ]]; then unset 'before[last]'
    fi
    local -a joined=()
    local part
    for part in "${{before[@]}}"; do [[ $part == = ]] || joined+=("$part"); done
    before=("${{joined[@]}}")
{_BASH_ZSH_WALK}
    compopt +o filenames 2>/dev/null
    case $kind in
        verb) offered={shlex.quote(verbs)} ;;
        file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
        folder) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
        command) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -c -- "$current"; compgen -f -- "$current"); return ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$offered" -- "$current")
}}
complete -F _netless netless
"""


def _zsh() -> str:
    verbs = "\n".join(f"            {shlex.quote(f'{verb.name}:{verb.help}')}" for verb in SHOWN)
    return rf"""#compdef netless
# netless in zsh: source <(netless completions zsh), or as a file _netless in a folder of $fpath
{_tables()}
_netless() {{
    local current=${{words[CURRENT]}} program=${{words[1]/#\~/$HOME}}
    local -a before=("${{(@)words[2,CURRENT-1]}}")
{_BASH_ZSH_WALK}
    [[ -z $head ]] || compset -P '*='
    case $kind in
        verb)
            local -a verbs=(
{verbs}
            )
            _describe verb verbs ;;
        file) _files ;;
        folder) _files -/ ;;
        command) _command_names; _files ;;
        *) compadd -- ${{=offered}} ;;
    esac
}}
if [[ ${{funcstack[1]}} == _netless ]]; then _netless "$@"; else compdef _netless netless; fi
"""


_FISH_WALK = r"""# netless in fish: netless completions fish | source
function __netless_at --description 'Whether the line is at this verb, and at this of its words'
    set -l verb ''
    set -l placed 0
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
        else if test "$word" = --
            test "$verb" = exec; or return 1
        else if test "$verb" = exec -a $placed -gt 0
            set placed (math $placed + 1)
        else if contains -- $word VALUED
            set skip 1
        else if string match -q -- '-*' $word
            continue
        else if test -z "$verb"
            set verb $word
        else
            set placed (math $placed + 1)
        end
    end
    test "$verb" = "$argv[1]"; or return 1
    test -z "$argv[2]"; or test $placed = $argv[2]
end
function __netless_ask --description 'What netless knows of this kind'
    set -l words (commandline -opc)
    set -l global
    for at in (seq (count $words))
        switch $words[$at]
            case --lab --lessons
                if test $at -lt (count $words)
                    set -a global $words[$at] $words[(math $at + 1)]
                end
            case '--lab=*' '--lessons=*'
                set -a global $words[$at]
        end
    end
    set -l begun (commandline -ct)
    $words[1] $global complete $argv[1] (string replace -r '^--[a-z]+=' '' -- "$begun") 2>/dev/null
end
complete -c netless -f
"""


def _fish() -> str:
    valued = " ".join(dict.fromkeys(flag for verb in SHOWN for flag, option in _flags(verb) if option.value))
    lines = [_fish_line(f"-n '__netless_at \"\"' -a {verb.name}", verb.help) for verb in SHOWN]
    for option in GLOBAL:
        lines.append(_fish_option(option, ""))
    for verb in SHOWN:
        lines += [_fish_option(option, f"-n '__netless_at {verb.name}' ") for option in verb.options]
        for at, word in enumerate(verb.words):
            lines.append(_fish_line(f"-n '__netless_at {verb.name} {at}' {_fish_values(word)}", word.help))
        if verb.command:
            here = f"__netless_at {verb.name}"
            lines.append(f"complete -c netless -n '{here} {len(verb.words)}' -a '(__fish_complete_command)'")
            lines.append(f"complete -c netless -n '{here}; and not {here} {len(verb.words)}; and not {here} 0' -F")
    return _FISH_WALK.replace("VALUED", valued) + "\n".join(lines) + "\n"


def _fish_option(option: Option, when: str) -> str:
    names = " ".join(f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in option.flags)
    return _fish_line(f"{when}{names}" + (f" -x {_fish_values(option)}" if option.value else "").replace("-x -F", "-r -F"), option.help)


def _fish_values(part: Word | Option) -> str:
    """How fish is told what may stand there."""
    if part.choices:
        return f"-a '{' '.join(part.choices)}'"
    if part.values in ASKED:
        return f"-a '(__netless_ask {part.values})'"
    return "-F" if part.values in ("file", "folder") else ""


def _fish_line(what: str, help: str) -> str:
    return f"complete -c netless {what}".rstrip() + (f" -d {shlex.quote(help)}" if help else "")


SHELLS: Final[Mapping[str, Callable[[], str]]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
"""What completes netless in each shell."""
