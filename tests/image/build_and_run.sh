#!/usr/bin/env bash
# Builds the image and runs it against the sandbox, without a registry and without a container engine's service.
#
# The base image is made from Debian's own Python, under the name that the Dockerfile asks for. Needed: Linux, root, and
# buildah, crun, debootstrap and podman (Debian: apt-get install buildah crun debootstrap podman). The mirror and the
# certificates are those of this machine, read when it runs. $SLOTBRIDGE_IMAGE_CACHE names a folder (1 GB) that is kept,
# so that the next time is quicker; else everything is made anew in a temporary one.
#
# Every line that begins with "ok" is something that was seen to be so. Exit codes: 0 all of it, 1 not, 77 cannot be
# tried here.
set -euo pipefail

readonly base=localhost/python:3.11-slim-bookworm image=localhost/slotbridge:test
readonly project=$(cd "$(dirname "$0")/../.." && pwd)

ok() { echo "ok: $* (${SECONDS} s)"; }
fail() { echo "FAILED: $*" >&2; exit 1; }

prerequisites() {
    local tool
    [ "$(id -u)" = 0 ] || { echo "needs root" >&2; exit 77; }
    for tool in buildah podman crun debootstrap unshare; do
        command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 77; }
    done
}

tools() {
    export work=$1 CONTAINERS_STORAGE_CONF=$1/storage.conf CONTAINERS_CONF=$1/containers.conf BUILDAH_ISOLATION=chroot
    printf '[storage]\ndriver = "vfs"\ngraphroot = "%s/store"\nrunroot = "%s/run"\n' "$work" "$work" >"$work/storage.conf"
    printf '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nruntime = "crun"\n' >"$work/containers.conf"
    printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n' >"$work/pip.conf"
}

make_base() {
    buildah inspect --type image "$base" >/dev/null 2>&1 && return
    local mirror container
    mirror=$(awk '/^URIs:/ {print $2; exit}' /etc/apt/sources.list.d/debian.sources 2>/dev/null) || true
    mirror=${mirror:-$(awk '/^deb / {print $2; exit}' /etc/apt/sources.list)}
    rm -rf "$work/rootfs"
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$work/rootfs" "$mirror" \
        >"$work/debootstrap.log" 2>&1 || { tail "$work/debootstrap.log" >&2; fail "no base image"; }
    # `python` and `pip` in /usr/local/bin, as in the official image.
    chroot "$work/rootfs" python3 -m venv /usr/local
    rm -rf "$work"/rootfs/var/cache/apt/archives/*.deb "$work"/rootfs/var/lib/apt/lists/*
    container=$(buildah from scratch)
    buildah add -q "$container" "$work/rootfs" / >/dev/null
    buildah config --env PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin --env LANG=C.UTF-8 \
        --cmd '["python3"]' "$container"
    buildah commit -q --rm "$container" "$base" >/dev/null
    rm -rf "$work/rootfs"
    ok "a base image"
}

build() {
    # The mounts give RUN the certificates of this machine and leave no trace in the image.
    buildah bud --isolation chroot --format docker --pull-never -t "$image" \
        -v /etc/ssl/certs/ca-certificates.crt:/etc/ssl/certs/ca-certificates.crt:ro \
        -v "$work/pip.conf:/etc/pip.conf:ro" "$project" >"$work/build.log" 2>&1 \
        || { tail -n 30 "$work/build.log" >&2; fail "the image does not build"; }
    ok "the image is built from the Dockerfile as it stands"
}

# What follows runs in a mount namespace of its own: crun refuses a mixed layout of control groups.

flags=(--cgroups disabled --ulimit nofile=4096:4096 --ulimit nproc=4096:4096
    --read-only --tmpfs /tmp --cap-drop all --security-opt no-new-privileges)

# Without systemd it complains about the timers of health checks; here they are asked for one by one.
podman() { command podman --log-level fatal "$@"; }

clean_up() {
    [ "$1" = 0 ] || podman logs slotbridge-test >&2 2>/dev/null || true
    # One at a time: podman 4.3 stops silently at the first that is not there.
    podman rm -f -t 1 slotbridge-test >/dev/null 2>&1 || true
    podman rm -f -t 1 slotbridge-test-sandbox >/dev/null 2>&1 || true
    podman volume rm -f slotbridge-test >/dev/null 2>&1 || true
}

# in_sandbox METHOD PATH [BODY]: what a person does in one of the two web interfaces.
in_sandbox() {
    podman exec slotbridge-test-sandbox python -c '
import sys, urllib.request
method, path, body = (*sys.argv[1:], "")[:3]
request = urllib.request.Request("http://127.0.0.1:8788" + path, body.encode() or None, method=method)
print(urllib.request.urlopen(request, timeout=5).read().decode())' "$@"
}

# within SECONDS WHAT COMMAND...: succeeds as soon as the command does.
within() {
    local until=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >"$work/last" 2>&1; do
        [ "$SECONDS" -lt "$until" ] || { cat "$work/last" >&2; fail "$what"; }
        sleep 0.5
    done
    ok "$what"
}

# in_reservekit START END: whether that is when orthodontics opens and closes on Thursdays, in minutes since midnight.
in_reservekit() { in_sandbox GET /_sandbox/state | python3 -c '
import json, sys
services = {service["id"]: service for service in json.load(sys.stdin)["reservekit"]["services"]}
hours = [(slot["day"], slot["start"], slot["end"]) for slot in services[124]["time_slots"]]
sys.exit(f"{hours}" if (3, int(sys.argv[1]), int(sys.argv[2])) not in hours else 0)' "$@"; }

# Every folder that the process could write to and that would still be there after it.
writable() { podman exec slotbridge-test python -c '
import os
mounts = [line.split() for line in open("/proc/mounts")]
passing = {where for _, where, kind, *_ in mounts if kind in ("tmpfs", "proc", "sysfs", "mqueue", "devpts", "cgroup2")}
for folder, inside, _ in os.walk("/"):
    inside[:] = [name for name in inside if os.path.join(folder, name) not in passing]
    if os.access(folder, os.W_OK):
        print(folder)'; }

# stopped CONTAINER CODE
stopped() { [ "$(podman inspect "$1" --format '{{.State.ExitCode}}')" = "$2" ] || fail "$1 ended otherwise than with $2"; }

run() {
    local sandbox=slotbridge-test-sandbox shared
    clean_up 0
    trap 'clean_up $?' EXIT
    podman run -d --name "$sandbox" --network none "${flags[@]}" "$image" sandbox >/dev/null
    within 20 "the sandbox answers" in_sandbox GET /_sandbox/state

    mkdir -p "$work/config" "$work/secrets"
    sed 's/^api_key.*//' "$project/config/container/sandbox.toml" >"$work/config/slotbridge.toml"
    printf sk_rsv_sandbox >"$work/secrets/SLOTBRIDGE_RESERVEKIT__API_KEY"
    chmod -R u=rwX,go=rX "$work/config" "$work/secrets"
    shared=(--network "container:$sandbox" -v slotbridge-test:/data -v "$work/config:/etc/slotbridge:ro"
        -v "$work/secrets:/run/secrets:ro")
    podman run -d --name slotbridge-test "${flags[@]}" "${shared[@]}" "$image" >/dev/null
    within 40 "healthy, with a secret from a file" podman healthcheck run slotbridge-test

    [ "$(podman exec slotbridge-test id -u):$(podman exec slotbridge-test id -g)" = 10001:10001 ] || fail "the user"
    ok "user and group 10001"
    [ "$(writable)" = /data ] || fail "writable: $(writable)"
    ok "nothing but /data can be written"
    podman exec slotbridge-test python -c 'import pip' 2>/dev/null && fail "pip is in the image"
    ok "no pip in the image"
    podman exec slotbridge-test slotbridge db backup /data/copy.db >"$work/last" || fail "$(cat "$work/last")"
    ok "a backup while it runs"

    within 40 "both sides are in step" in_reservekit 600 960
    in_sandbox PUT /_sandbox/bitrix24/resources/16/slots \
        '[{"from": 615, "to": 960, "timezone": "Europe/Berlin", "weekDays": ["Tue", "Thu"], "slotSize": 60}]' >/dev/null
    within 60 "an edit in Bitrix24 arrives in ReserveKit" in_reservekit 615 960

    podman stop -t 40 slotbridge-test >/dev/null
    stopped slotbridge-test 0
    ok "SIGTERM ends it with 0"
    podman run --rm "${flags[@]}" "${shared[@]}" "$image" db check >"$work/last" || fail "$(cat "$work/last")"
    ok "the database is sound afterwards"
    podman stop -t 10 "$sandbox" >/dev/null
    stopped "$sandbox" 143
    ok "SIGTERM ends the sandbox with 143, as any command that is interrupted"
}

if [ "${1:-}" = inside ]; then
    umount -R /sys/fs/cgroup
    mount -t cgroup2 none /sys/fs/cgroup
    tools "$2"
    run
else
    prerequisites
    kept=${SLOTBRIDGE_IMAGE_CACHE:-}
    folder=${kept:-$(mktemp -d)}
    mkdir -p "$folder"
    [ -n "$kept" ] || trap 'rm -rf "$folder"' EXIT
    tools "$folder"
    make_base
    build
    unshare -m "$0" inside "$folder"
    ok "$(podman image inspect "$image" --format '{{.Size}}' | awk '{printf "%.0f MB", $1 / 1e6}') with the base"
fi
