#!/bin/bash
# The first process of a local cluster's machine, in mount, network and pid namespaces of its own. Everything that
# runs on the machine ends with it, as does every mount and every network link.
# usage: machine-init.sh STATE_DIR
set -eu
state=$1

# As on a host: mounts made for pods are seen by all processes of this machine (and by none outside it).
mount --make-rshared /
# Sockets, network namespaces, lock files: what a reboot clears.
mount -t tmpfs -o mode=0755 tmpfs /run
# Places that containerd, its CNI library and the kubelet write to without an option to move them.
mkdir -p "$state/var/log" "$state/var/lib/cni" /var/lib/cni
mount --bind "$state/var/log" /var/log
mount --bind "$state/var/lib/cni" /var/lib/cni

touch "$state/booted"
# Bash reaps the orphans that a first process inherits, also while it waits.
trap 'exit 0' TERM
while :; do
  sleep infinity &
  wait $! || true
done
