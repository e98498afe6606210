#!/usr/bin/env bash
# The shared library exports exactly the PAWL_API names of the installed headers, and all of them begin with pawl_.
set -euo pipefail
source=${PAWL_SOURCE_DIR:?} build=${PAWL_BUILD_DIR:?}

# The name of a declaration is its first word before a parenthesis that is no macro, or for data its last word.
declared() {
    # shellcheck disable=SC2016 # the dollars are perl's
    find "$source"/*/include -name '*.h' -print0 | xargs -0 perl -0777 -ne '
        s{/\*.*?\*/|//[^\n]*}{}gs;
        s{^[ \t]*\#(?:\\\n|[^\n])*}{}gm;
        for (split /[;{}]/) {
            next unless s/.*\bPAWL_API\b//s;
            s/\b(?:[A-Z_0-9]+|__attribute__)\s*(\((?:[^()]|(?1))*\))//g;
            print "$1\n" if /\b([a-z]\w*)\s*\(/ || /\b([a-z]\w*)\s*(?:\[[^]]*\]\s*)*$/;
        }' | sort -u
}
exported() { nm -D --defined-only "$build/libpawl.so" | awk '$2 != "A" { print $3 }' | sort -u; }

count=$(declared | wc -l)
echo "$count names declared, $(exported | wc -l) exported"
[ "$count" -gt 0 ]
if exported | grep -v '^pawl_'; then
    echo "these exported names do not begin with pawl_" >&2
    exit 1
fi
diff --unified=0 --label "declared PAWL_API in a header" --label "exported by libpawl.so" <(declared) <(exported)
