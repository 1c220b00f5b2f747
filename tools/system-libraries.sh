#!/bin/sh
# Make sure that the system libraries which Qt loads are there; install what is missing where that is allowed.
#
# Exit code 1 only if the window cannot even be drawn without a display; libraries for X11 alone give a warning.
set -u

[ "$(uname -s)" = Linux ] || exit 0
PATH="$PATH:/usr/sbin:/sbin"
command -v ldconfig >/dev/null || exit 0

# soname                Debian package          Fedora package          needed by
TABLE='
libEGL.so.1             libegl1                 libglvnd-egl            every
libGL.so.1              libgl1                  libglvnd-glx            every
libxkbcommon.so.0       libxkbcommon0           libxkbcommon            every
libdbus-1.so.3          libdbus-1-3             dbus-libs               every
libfontconfig.so.1      libfontconfig1          fontconfig              every
libglib-2.0.so.0        libglib2.0-0            glib2                   every
libX11.so.6             libx11-6                libX11                  every
libX11-xcb.so.1         libx11-xcb1             libX11-xcb              x11
libxkbcommon-x11.so.0   libxkbcommon-x11-0      libxkbcommon-x11        x11
libxcb-cursor.so.0      libxcb-cursor0          xcb-util-cursor         x11
libxcb-icccm.so.4       libxcb-icccm4           xcb-util-wm             x11
libxcb-image.so.0       libxcb-image0           xcb-util-image          x11
libxcb-keysyms.so.1     libxcb-keysyms1         xcb-util-keysyms        x11
libxcb-randr.so.0       libxcb-randr0           libxcb                  x11
libxcb-render-util.so.0 libxcb-render-util0     xcb-util-renderutil     x11
libxcb-shape.so.0       libxcb-shape0           libxcb                  x11
libxcb-shm.so.0         libxcb-shm0             libxcb                  x11
libxcb-sync.so.1        libxcb-sync1            libxcb                  x11
libxcb-util.so.1        libxcb-util1            xcb-util                x11
libxcb-xfixes.so.0      libxcb-xfixes0          libxcb                  x11
libxcb-xkb.so.1         libxcb-xkb1             libxkbcommon-x11        x11
'

missing() { # missing COLUMN [KIND]: the packages (2 Debian, 3 Fedora) of what ldconfig does not know
    known=$(ldconfig -p)
    printf '%s\n' "$TABLE" | while read -r soname debian fedora kind; do
        [ -n "$soname" ] || continue
        [ -z "${2:-}" ] || [ "$kind" = "$2" ] || continue
        case "$known" in *"$soname"*) continue ;; esac
        if [ "$1" = 2 ]; then echo "$debian"; else echo "$fedora"; fi
    done
    if [ "${2:-}" != x11 ] && [ -z "$(find /usr/share/fonts /usr/local/share/fonts "$HOME/.fonts" \
        "$HOME/.local/share/fonts" -name '*.[ot]tf' -print -quit 2>/dev/null)" ]; then
        if [ "$1" = 2 ]; then echo fonts-dejavu-core; else echo dejavu-sans-fonts; fi
    fi
}

if command -v apt-get >/dev/null; then
    column=2 tool="apt-get install -y --no-install-recommends"
elif command -v dnf >/dev/null; then
    column=3 tool="dnf install -y"
else
    column=2 tool=""
fi
packages=$(missing $column | sort -u | tr '\n' ' ')
[ -n "$packages" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    root="env"
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    root="sudo"
else
    root=""
fi
if [ -n "$tool" ] && [ -n "$root" ]; then
    echo "Installing system libraries for the window: $packages" >&2
    [ $column = 3 ] || $root apt-get update -qq >&2
    # shellcheck disable=SC2086  # the packages are words on purpose
    $root env DEBIAN_FRONTEND=noninteractive $tool $packages >/dev/null
    [ -z "$(missing $column)" ] && exit 0
fi

packages=$(missing $column | sort -u | tr '\n' ' ')
if [ -n "$(missing $column every)" ]; then
    echo "The window needs system libraries that are not here. Run: sudo ${tool:-your-package-manager install} $packages" >&2
    exit 1
fi
echo "Windows on X11 need more system libraries. Run: sudo ${tool:-your-package-manager install} $packages" >&2
